using KerberosMessaging.Client.Store;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Client.Connections;

/// <summary>The tickets of one login, sealed in the local store so that they outlive the process, as a Kerberos credential cache does.</summary>
internal sealed class TicketCache(LocalStore store)
{
    public const string Prefix = "ticket.";

    private const string Granting = Prefix + "granting";

    public CachedTicket GetGranting() => Get(Granting)
        ?? throw new MessagingException(MessagingFailure.NotLoggedIn, "there is no login; log in first");

    public bool HasGranting => store.Read(static transaction => transaction.ListSettings(Granting)).Count > 0;

    public CachedTicket? GetService(ServerId server) => Get(Name(server));

    public void PutGranting(CachedTicket ticket) => Put(Granting, ticket);

    public void PutService(ServerId server, CachedTicket ticket) => Put(Name(server), ticket);

    public void RemoveService(ServerId server) => store.Write(transaction => transaction.RemoveSettings(Name(server)));

    public void Clear() => store.Write(static transaction => transaction.RemoveSettings(Prefix));

    /// <summary>The message servers that there are tickets for.</summary>
    public List<ServerId> ListServices() => [.. store
        .Read(static transaction => transaction.ListSettings(Prefix))
        .Where(static name => name != Granting)
        .Select(static name => new ServerId(Guid.ParseExact(name[Prefix.Length..], "N")))];

    private static string Name(ServerId server) => Prefix + server;

    private CachedTicket? Get(string name)
    {
        using var exported = store.Read(transaction => transaction.GetSetting(name));
        return exported is null ? null : CachedTicket.Import(exported.Span);
    }

    private void Put(string name, CachedTicket ticket)
    {
        using var exported = ticket.Export();
        store.Write(transaction => transaction.SetSetting(name, exported.Span));
    }
}
