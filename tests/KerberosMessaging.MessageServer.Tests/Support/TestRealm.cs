using System.Collections.Frozen;
using KerberosMessaging.Cryptography;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.MessageServer.Persistence;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.MessageServer.Tests.Support;

/// <summary>A realm whose keys the test holds: it enrols servers by writing their rows, and makes any ticket.</summary>
internal sealed class TestRealm : IDisposable
{
    public const uint KeyVersion = 3;
    public const uint SigningVersion = 7;

    /// <summary>What the realm is known by.</summary>
    public Ed25519PrivateKey Key { get; } = Ed25519PrivateKey.Generate();

    public Ed25519PrivateKey TicketSigningKey { get; } = Ed25519PrivateKey.Generate();

    public Ed25519PrivateKey ServerKey { get; } = Ed25519PrivateKey.Generate();

    public SecretBytes ServiceKey { get; } = SecretBytes.Random(ServiceTicket.ServiceKeySize);

    public ServerId Server { get; } = ServerId.New();

    /// <summary>The keys of this server as they go over the wire.</summary>
    public ServerKeys WireKeys => new(
        Key.PublicKey.ToArray(),
        [new VersionedKey(KeyVersion, ServiceKey.Span.ToArray())],
        [new VersionedKey(SigningVersion, TicketSigningKey.PublicKey.ToArray())]);

    /// <summary>The keys of this server as it holds them, each set with keys of its own.</summary>
    public TicketKeySet Keys => new(
        new Dictionary<uint, SecretBytes> { [KeyVersion] = ServiceKey.Clone() }.ToFrozenDictionary(),
        new Dictionary<uint, byte[]> { [SigningVersion] = TicketSigningKey.PublicKey.ToArray() }.ToFrozenDictionary());

    public static ServerIdentityStore StoreIn(string folder) => new(
        new TestContexts(Path.Combine(folder, "message.db")), ProtectionIn(folder), TimeProvider.System);

    public static IDataProtectionProvider ProtectionIn(string folder) => DataProtectionProvider.Create(
        new DirectoryInfo(Path.Combine(folder, "keys")), static builder => builder.SetApplicationName("kmsg message server"));

    /// <summary>Makes a data folder that of an enrolled server.</summary>
    public async Task EnrolAsync(string folder)
    {
        await using (var context = new TestContexts(Path.Combine(folder, "message.db")).CreateDbContext())
        {
            await context.Database.MigrateAsync();
        }

        using var keys = Keys;
        await StoreIn(folder).SaveAsync(
            new EnrolledServer(Server, ServerKey, Key.PublicKey.ToArray(), keys, TokenHash: null), CancellationToken.None);
    }

    /// <summary>A ticket for this server, as the auth server would issue it, or with something wrong.</summary>
    public TestTicket Issue(
        TestDevice device,
        DateTimeOffset startsAt,
        TimeSpan? life = null,
        ServerId? server = null,
        uint keyVersion = KeyVersion,
        SecretBytes? serviceKey = null,
        Ed25519PrivateKey? signer = null,
        uint signingVersion = SigningVersion,
        DateTimeOffset? authenticatedAt = null)
    {
        var endsAt = startsAt + (life ?? TimeSpan.FromMinutes(10));
        var sessionKey = SessionKey.New();
        using var body = new TicketBody
        {
            Session = device.Session,
            Client = device.Client,
            ClientName = device.Name,
            Device = device.Device,
            SessionKey = sessionKey.Clone(),
            Times = new TicketTimes(authenticatedAt ?? startsAt, startsAt, endsAt, endsAt),
        };
        return new TestTicket(
            ServiceTicket.Seal(
                body, server ?? Server, (serviceKey ?? ServiceKey).Span, keyVersion, signer ?? TicketSigningKey, signingVersion),
            sessionKey);
    }

    public void Dispose()
    {
        Key.Dispose();
        TicketSigningKey.Dispose();
        ServerKey.Dispose();
        ServiceKey.Dispose();
    }
}
