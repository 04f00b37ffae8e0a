using KerberosMessaging.Protocol;

namespace KerberosMessaging.Hosting.Logs;

/// <summary>
/// The scope that joins the lines of one connection or one admin request. Of all scopes only these are written: the framework's
/// own hold paths and whatever a peer put into them.
/// </summary>
/// <param name="Kind">What the id is of: <c>session</c> or <c>request</c>.</param>
/// <param name="Id">The id, as the audit log has it as the correlation.</param>
internal sealed record LogCorrelation(string Kind, string Id)
{
    /// <summary>A connection, by its channel's session id.</summary>
    public static LogCorrelation Of(SessionId session) => new("session", session.ToString());

    /// <summary>A request to the admin API, by the id that the audit log knows it by.</summary>
    public static LogCorrelation OfRequest(string id) => new("request", id);
}
