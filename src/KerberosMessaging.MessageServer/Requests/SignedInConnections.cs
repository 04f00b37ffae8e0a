using System.Collections.Concurrent;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.MessageServer.Requests;

/// <summary>The connections that a ticket opened, each with the login behind its ticket: what a revocation cuts is found here.</summary>
internal sealed class SignedInConnections(RevokedTickets revoked)
{
    private readonly ConcurrentDictionary<WireConnection, TicketLogin> _logins = new();

    /// <summary>Adds a connection that was just signed in.</summary>
    /// <returns>
    /// False when the login was revoked since its ticket was verified: whoever looked for connections to cut may not have
    /// found this one yet. What is revoked later finds it here.
    /// </returns>
    public bool TryAdd(WireConnection connection, TicketLogin login)
    {
        if (_logins.TryAdd(connection, login))
        {
            connection.OnClosed(() => _logins.TryRemove(connection, out _));
        }
        else
        {
            _logins[connection] = login;
        }

        return !revoked.Covers(login);
    }

    /// <summary>Ends the connections whose login is revoked.</summary>
    public void CutRevoked()
    {
        foreach (var (connection, login) in _logins)
        {
            if (revoked.Covers(login))
            {
                connection.Close(NoticeKind.SessionEnded);
            }
        }
    }
}
