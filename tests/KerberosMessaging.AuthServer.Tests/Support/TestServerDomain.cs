using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Protocol;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace KerberosMessaging.AuthServer.Tests.Support;

/// <summary>What an admin does, and looks into the database.</summary>
internal static class TestServerDomain
{
    public static readonly Origin Admin = new("admin test", "192.0.2.1", "test");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static T Get<T>(this TestServer server)
        where T : notnull => server.App.Services.GetRequiredService<T>();

    /// <summary>Uses a service in a scope of its own.</summary>
    public static async Task<TResult> UseAsync<TService, TResult>(this TestServer server, Func<TService, Task<TResult>> use)
        where TService : notnull
    {
        await using var scope = server.App.Services.CreateAsyncScope();
        return await use(scope.ServiceProvider.GetRequiredService<TService>());
    }

    public static Task<TResult> AdministerAsync<TResult>(this TestServer server, Func<ClientAdministration, Task<TResult>> use) =>
        server.UseAsync(use);

    public static Task<AuditVerification> VerifyAuditAsync(this TestServer server) =>
        server.UseAsync((AuditLog log) => log.VerifyAsync(Cancel));

    public static Task<List<ClientRow>> ClientsAsync(this TestServer server) =>
        server.ReadAsync(static database => database.Clients.AsNoTracking().ToListAsync(Cancel));

    public static Task<List<AuditRow>> AuditAsync(this TestServer server, AuditKind kind) => server.ReadAsync(database =>
        database.AuditEvents.AsNoTracking().Where(row => row.Kind == kind).OrderBy(static row => row.Sequence).ToListAsync(Cancel));

    public static Task<List<LoginFailureRow>> FailuresAsync(this TestServer server) =>
        server.ReadAsync(static database => database.LoginFailures.AsNoTracking().ToListAsync(Cancel));

    /// <summary>Makes an invite, for a name as compared or for any.</summary>
    public static Task<NewToken> InviteAsync(this TestServer server, string? nameKey = null) =>
        server.Get<OneTimeTokens>().MakeInviteAsync(nameKey, TimeSpan.FromDays(7), Admin, Cancel);

    public static async Task<string> ResetTokenAsync(this TestServer server, ClientId client)
    {
        var made = await server.AdministerAsync(administration => administration.MakeResetTokenAsync(client.Value, Precondition.None, Admin, Cancel));
        Assert.NotNull(made.Token);
        return made.Token.Token;
    }

    public static Task<AdminChange> RevokeAsync(this TestServer server, SessionId session) =>
        server.Get<SessionAdministration>().RevokeAsync(session.Value, Precondition.None, Admin, Cancel);

    public static Task<uint?> RotateAsync(this TestServer server, RealmKeyPurpose purpose) =>
        server.Get<KeyRotation>().RotateAsync(purpose, Admin, Cancel);

    public static Task KeepHouseAsync(this TestServer server) => server.Get<Housekeeping>().RunOnceAsync(Cancel);

    /// <summary>A new client and a first login of it, without the cost of stretching.</summary>
    public static async Task<(QuickAccount Account, TestTicket Ticket, TestClient Client)> SignUpQuickAsync(this TestServer server, string name)
    {
        var account = new QuickAccount(name);
        var client = await server.ConnectAsync();
        await account.RegisterAsync(client);
        return (account, await account.LoginAsync(client), client);
    }

    /// <summary>A connection on which a ticket was presented.</summary>
    public static async Task<TestClient> PresentAsync(this TestServer server, TestTicket ticket)
    {
        var client = await server.ConnectAsync();
        await client.PresentAsync(ticket);
        return client;
    }

    /// <summary>What the server says to a ticket that is presented on a connection of its own; null where it is accepted.</summary>
    public static async Task<ProtocolError?> TryPresentAsync(this TestServer server, TestTicket ticket)
    {
        await using var client = await server.ConnectAsync();
        try
        {
            await client.PresentAsync(ticket);
            return null;
        }
        catch (Transport.RequestRefusedException e)
        {
            return e.Error;
        }
    }

    /// <summary>Whether the realm holds a version of its OPAQUE keys.</summary>
    public static bool HasOpaque(this RealmKeys keys, uint version) => Record.Exception(() => keys.Opaque(version)) is null;
}
