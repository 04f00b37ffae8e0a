using System.Collections.Frozen;
using System.Security.Cryptography;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.Protocol;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>
/// The realm's long-term keys: made at the first start, sealed in the database, opened at every start. What is versioned
/// changes while the server runs; readers see one version of the whole at a time.
/// </summary>
internal sealed class RealmKeys : IDisposable
{
    private const int TicketKeySize = 64;
    private const int AuditKeySize = 32;

    private static readonly RealmKeyPurpose[] Needed =
        [RealmKeyPurpose.Realm, RealmKeyPurpose.Ticket, RealmKeyPurpose.OprfSeed, RealmKeyPurpose.TicketSigning, RealmKeyPurpose.Audit];

    private readonly IDataProtector _protector;
    private volatile Versions _versions;

    private RealmKeys(IDataProtector protector, Ed25519PrivateKey realm, SecretBytes audit, Versions versions)
    {
        _protector = protector;
        Realm = realm;
        Audit = audit;
        _versions = versions;
        var hash = SHA256.HashData(realm.PublicKey.Span);
        Fingerprint = Convert.ToHexStringLower(hash);
        Server = new ServerId(new Guid(hash.AsSpan(0, 16), bigEndian: true));
    }

    /// <summary>
    /// Signs handshakes and device certificates. Every client pins it, so it is not rotated: that would teach people to
    /// accept changed fingerprints.
    /// </summary>
    public Ed25519PrivateKey Realm { get; }

    /// <summary>SHA-256 of the realm's public key, which clients pin: 64 hexadecimal digits.</summary>
    public string Fingerprint { get; }

    /// <summary>The auth server's id: the first half of the fingerprint, so that it needs no storage of its own.</summary>
    public ServerId Server { get; }

    /// <summary>Chains the audit log, 32 bytes.</summary>
    public SecretBytes Audit { get; }

    /// <summary>The key of new ticket-granting tickets, 64 bytes, with its version.</summary>
    public (uint Version, SecretBytes Key) TicketKey
    {
        get
        {
            var versions = _versions;
            return (versions.NewestTicket, versions.Ticket[versions.NewestTicket]);
        }
    }

    /// <summary>The newest ticket-signing key.</summary>
    public uint TicketSigningVersion => _versions.NewestSigning;

    /// <summary>The ticket-signing keys that message servers are to know.</summary>
    public IReadOnlyDictionary<uint, Ed25519PrivateKey> TicketSigning => _versions.Signing;

    /// <summary>The version of the OPAQUE keys that new records are made with.</summary>
    public uint OpaqueVersion => _versions.NewestOpaque;

    /// <summary>
    /// The version that names without a client are answered with: the oldest, which most clients have while a rotation is
    /// under way.
    /// </summary>
    public uint OldestOpaqueVersion => _versions.OldestOpaque;

    public SecretBytes? FindTicketKey(uint version) => _versions.Ticket.GetValueOrDefault(version);

    /// <summary>Whether a version is there, in a piece of work: another one of the same transaction may have removed it.</summary>
    public static bool HasOpaque(WriteScope scope, uint version) =>
        scope.Database.RealmKeys.Any(row => row.Purpose == RealmKeyPurpose.OprfSeed && row.Version == version);

    /// <exception cref="KeyNotFoundException">There is no such version.</exception>
    public OpaqueServer Opaque(uint version) => _versions.Opaque[version];

    public OpaqueServer? FindOpaque(uint version) => _versions.Opaque.GetValueOrDefault(version);

    /// <summary>Makes keys that are missing and opens all.</summary>
    /// <exception cref="StartupException">The key ring does not open them.</exception>
    public static async Task<RealmKeys> LoadOrCreateAsync(AuthDbContext database, IDataProtectionProvider protection, TimeProvider time)
    {
        var protector = protection.CreateProtector("kmsg realm keys");
        var rows = await database.RealmKeys.AsNoTracking().ToListAsync();
        foreach (var purpose in Needed.Where(purpose => !rows.Exists(row => row.Purpose == purpose)).ToArray())
        {
            var made = Make(protector, purpose, version: 1, time.GetUtcNow());
            database.RealmKeys.AddRange(made);
            rows.AddRange(made);
        }

        await database.SaveChangesAsync();
        try
        {
            using var seed = Sealing.Open(protector, rows.Find(static row => row.Purpose == RealmKeyPurpose.Realm)!.Sealed);
            return new RealmKeys(
                protector,
                Ed25519PrivateKey.FromSeed(seed.Span),
                Sealing.Open(protector, rows.Find(static row => row.Purpose == RealmKeyPurpose.Audit)!.Sealed),
                Versions.Open(rows, protector));
        }
        catch (CryptographicException e)
        {
            throw new StartupException(
                "the realm keys cannot be opened: the key ring in the data folder is not the one they were sealed with. Restore both from one backup.", e);
        }
    }

    /// <summary>Makes a version of a key, sealed; it is in use once it is committed and <see cref="Add"/>ed.</summary>
    public List<RealmKeyRow> Make(RealmKeyPurpose purpose, uint version, DateTimeOffset now) => Make(_protector, purpose, version, now);

    /// <summary>Takes a new version into use.</summary>
    public void Add(List<RealmKeyRow> rows) => _versions = _versions.With(Versions.Open(rows, _protector));

    /// <summary>Forgets a version that nothing can need any more.</summary>
    public void Remove(RealmKeyPurpose purpose, uint version) => _versions = _versions.Without(purpose, version);

    public void Dispose()
    {
        Realm.Dispose();
        Audit.Dispose();
        _versions.Dispose();
    }

    // The OPAQUE seed and private key are one pair, named by the seed's purpose.
    private static List<RealmKeyRow> Make(IDataProtector protector, RealmKeyPurpose purpose, uint version, DateTimeOffset now)
    {
        var made = new List<RealmKeyRow>();
        switch (purpose)
        {
            case RealmKeyPurpose.Realm or RealmKeyPurpose.TicketSigning:
                using (var key = Ed25519PrivateKey.Generate())
                using (var seed = key.ExportSeed())
                {
                    Seal(purpose, seed);
                }

                break;
            case RealmKeyPurpose.OprfSeed:
                var (oprfSeed, opaqueKey) = OpaqueServer.GenerateKeys();
                using (oprfSeed)
                using (opaqueKey)
                {
                    Seal(RealmKeyPurpose.OprfSeed, oprfSeed);
                    Seal(RealmKeyPurpose.OpaquePrivateKey, opaqueKey);
                }

                break;
            default:
                using (var key = SecretBytes.Random(purpose == RealmKeyPurpose.Audit ? AuditKeySize : TicketKeySize))
                {
                    Seal(purpose, key);
                }

                break;
        }

        return made;

        void Seal(RealmKeyPurpose kind, SecretBytes key) => made.Add(new RealmKeyRow
        {
            Purpose = kind,
            Version = version,
            Sealed = Sealing.Seal(protector, key),
            CreatedAt = now,
        });
    }

    /// <summary>All versions at one moment. What is forgotten is left to the collector, since a request may still use it.</summary>
    private sealed record Versions(
        FrozenDictionary<uint, SecretBytes> Ticket,
        FrozenDictionary<uint, Ed25519PrivateKey> Signing,
        FrozenDictionary<uint, OpaqueServer> Opaque) : IDisposable
    {
        public uint NewestTicket { get; } = Ticket.Keys.DefaultIfEmpty().Max();

        public uint NewestSigning { get; } = Signing.Keys.DefaultIfEmpty().Max();

        public uint NewestOpaque { get; } = Opaque.Keys.DefaultIfEmpty().Max();

        public uint OldestOpaque { get; } = Opaque.Keys.DefaultIfEmpty().Min();

        public static Versions Open(List<RealmKeyRow> rows, IDataProtector protector)
        {
            return new Versions(
                Of(RealmKeyPurpose.Ticket, static key => key.Clone()),
                Of(RealmKeyPurpose.TicketSigning, static seed => Ed25519PrivateKey.FromSeed(seed.Span)),
                rows.Where(static row => row.Purpose == RealmKeyPurpose.OprfSeed).ToFrozenDictionary(static row => row.Version, OpenOpaque));

            FrozenDictionary<uint, T> Of<T>(RealmKeyPurpose purpose, Func<SecretBytes, T> open) => rows
                .Where(row => row.Purpose == purpose)
                .ToFrozenDictionary(static row => row.Version, row =>
                {
                    using var key = Sealing.Open(protector, row.Sealed);
                    return open(key);
                });

            OpaqueServer OpenOpaque(RealmKeyRow row)
            {
                using var seed = Sealing.Open(protector, row.Sealed);
                using var key = Sealing.Open(
                    protector, rows.Single(other => other.Purpose == RealmKeyPurpose.OpaquePrivateKey && other.Version == row.Version).Sealed);
                return new OpaqueServer(seed.Span, key.Span);
            }
        }

        public Versions With(Versions added) => new(
            Ticket.Concat(added.Ticket).ToFrozenDictionary(),
            Signing.Concat(added.Signing).ToFrozenDictionary(),
            Opaque.Concat(added.Opaque).ToFrozenDictionary());

        public Versions Without(RealmKeyPurpose purpose, uint version) => purpose switch
        {
            // Made anew, not copied: the newest and oldest are computed when it is made.
            RealmKeyPurpose.Ticket => new(Except(Ticket, version), Signing, Opaque),
            RealmKeyPurpose.TicketSigning => new(Ticket, Except(Signing, version), Opaque),
            _ => new(Ticket, Signing, Except(Opaque, version)),
        };

        public void Dispose()
        {
            foreach (var key in Ticket.Values.Concat<IDisposable>(Signing.Values).Concat(Opaque.Values))
            {
                key.Dispose();
            }
        }

        private static FrozenDictionary<uint, T> Except<T>(FrozenDictionary<uint, T> keys, uint version) =>
            keys.Where(key => key.Key != version).ToFrozenDictionary();
    }
}
