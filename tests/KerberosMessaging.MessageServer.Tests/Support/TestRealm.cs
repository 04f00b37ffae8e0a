using KerberosMessaging.Cryptography;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.MessageServer.Persistence;
using KerberosMessaging.MessageServer.Persistence.Sqlite;
using KerberosMessaging.Protocol;
using KerberosMessaging.Tickets;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.MessageServer.Tests.Support;

/// <summary>A realm whose keys the test holds: it enrols servers by writing their row, and makes any ticket.</summary>
internal sealed class TestRealm : IDisposable
{
    private const uint KeyVersion = 3;

    public Ed25519PrivateKey Key { get; } = Ed25519PrivateKey.Generate();

    public Ed25519PrivateKey ServerKey { get; } = Ed25519PrivateKey.Generate();

    public SecretBytes ServiceKey { get; } = SecretBytes.Random(ServiceTicket.ServiceKeySize);

    public ServerId Server { get; } = ServerId.New();

    /// <summary>Makes a data folder that of an enrolled server.</summary>
    public async Task EnrolAsync(string folder)
    {
        var contexts = new TestContexts(Path.Combine(folder, "message.db"));
        await using (var context = contexts.CreateDbContext())
        {
            await context.Database.MigrateAsync();
        }

        var protection = DataProtectionProvider.Create(
            new DirectoryInfo(Path.Combine(folder, "keys")), static builder => builder.SetApplicationName("kmsg message server"));
        await new ServerIdentityStore(contexts, protection, TimeProvider.System).SaveAsync(
            new EnrolledServer(Server, ServerKey, KeyVersion, ServiceKey, Key.PublicKey.ToArray()), CancellationToken.None);
    }

    /// <summary>A ticket for this server, as the auth server would issue it, or with something wrong.</summary>
    public TestTicket Issue(
        TestDevice device,
        DateTimeOffset startsAt,
        TimeSpan? life = null,
        ServerId? server = null,
        uint keyVersion = KeyVersion,
        SecretBytes? serviceKey = null,
        Ed25519PrivateKey? signer = null)
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
            Times = new TicketTimes(startsAt, startsAt, endsAt, endsAt),
        };
        return new TestTicket(
            ServiceTicket.Seal(body, server ?? Server, (serviceKey ?? ServiceKey).Span, keyVersion, signer ?? Key, 1), sessionKey);
    }

    public void Dispose()
    {
        Key.Dispose();
        ServerKey.Dispose();
        ServiceKey.Dispose();
    }
}
