using System.Collections.Frozen;
using System.Security.Cryptography;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.Protocol;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>The realm's long-term keys: made at the first start, sealed in the database, opened at every start.</summary>
internal sealed class RealmKeys : IDisposable
{
    /// <summary>The key version number under which the realm's key signs service tickets.</summary>
    public const uint TicketSigningVersion = 1;

    private const int TicketKeySize = 64;

    private readonly FrozenDictionary<uint, SecretBytes> _ticketKeys;

    private RealmKeys(Ed25519PrivateKey signing, FrozenDictionary<uint, SecretBytes> ticketKeys, OpaqueServer opaque)
    {
        Signing = signing;
        _ticketKeys = ticketKeys;
        Opaque = opaque;
        TicketKeyVersion = ticketKeys.Keys.Max();
        var hash = SHA256.HashData(signing.PublicKey.Span);
        Fingerprint = Convert.ToHexStringLower(hash);
        Server = new ServerId(new Guid(hash.AsSpan(0, 16), bigEndian: true));
    }

    /// <summary>Signs handshakes, service tickets and device certificates.</summary>
    public Ed25519PrivateKey Signing { get; }

    public OpaqueServer Opaque { get; }

    /// <summary>SHA-256 of the realm's public key, which clients pin: 64 hexadecimal digits.</summary>
    public string Fingerprint { get; }

    /// <summary>The auth server's id: the first half of the fingerprint, so that it needs no storage of its own.</summary>
    public ServerId Server { get; }

    /// <summary>The key version number of new tickets.</summary>
    public uint TicketKeyVersion { get; }

    public SecretBytes TicketKey => _ticketKeys[TicketKeyVersion];

    public SecretBytes? FindTicketKey(uint version) => _ticketKeys.GetValueOrDefault(version);

    public static async Task<RealmKeys> LoadOrCreateAsync(AuthDbContext database, IDataProtectionProvider protection, TimeProvider time)
    {
        var protector = protection.CreateProtector("kmsg realm keys");
        if (!await database.RealmKeys.AnyAsync())
        {
            Create(database, protector, time.GetUtcNow());
            await database.SaveChangesAsync();
        }

        try
        {
            return Open(await database.RealmKeys.AsNoTracking().ToListAsync(), protector);
        }
        catch (CryptographicException e)
        {
            throw new StartupException(
                "the realm keys cannot be opened: the key ring in the data folder is not the one they were sealed with. Restore both from one backup.", e);
        }
    }

    public void Dispose()
    {
        Signing.Dispose();
        Opaque.Dispose();
        foreach (var key in _ticketKeys.Values)
        {
            key.Dispose();
        }
    }

    private static void Create(AuthDbContext database, IDataProtector protector, DateTimeOffset now)
    {
        using var signing = Ed25519PrivateKey.Generate();
        using var seed = signing.ExportSeed();
        using var ticketKey = SecretBytes.Random(TicketKeySize);
        var (oprfSeed, opaqueKey) = OpaqueServer.GenerateKeys();
        using (oprfSeed)
        using (opaqueKey)
        {
            Add(RealmKeyPurpose.Signing, seed);
            Add(RealmKeyPurpose.Ticket, ticketKey);
            Add(RealmKeyPurpose.OprfSeed, oprfSeed);
            Add(RealmKeyPurpose.OpaquePrivateKey, opaqueKey);
        }

        void Add(RealmKeyPurpose purpose, SecretBytes key) => database.RealmKeys.Add(new RealmKeyRow
        {
            Purpose = purpose,
            Version = 1,
            Sealed = Sealing.Seal(protector, key),
            CreatedAt = now,
        });
    }

    private static RealmKeys Open(List<RealmKeyRow> rows, IDataProtector protector)
    {
        using var seed = Newest(RealmKeyPurpose.Signing);
        using var oprfSeed = Newest(RealmKeyPurpose.OprfSeed);
        using var opaqueKey = Newest(RealmKeyPurpose.OpaquePrivateKey);
        return new RealmKeys(
            Ed25519PrivateKey.FromSeed(seed.Span),
            rows.Where(static row => row.Purpose == RealmKeyPurpose.Ticket)
                .ToFrozenDictionary(static row => row.Version, row => Sealing.Open(protector, row.Sealed)),
            new OpaqueServer(oprfSeed.Span, opaqueKey.Span));

        SecretBytes Newest(RealmKeyPurpose purpose) =>
            Sealing.Open(protector, rows.Where(row => row.Purpose == purpose).MaxBy(static row => row.Version)!.Sealed);
    }
}
