using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.MessageServer.Requests;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.MessageServer.Realm;

/// <summary>Puts what the auth server has revoked where it takes effect, and remembers how far that has come.</summary>
internal sealed class RevocationFeed(RevokedTickets revoked, SignedInConnections connections, MailboxDirectory mailboxes)
{
    /// <summary>The position of the newest entry that has taken effect; 0 for none.</summary>
    public ulong Position { get; private set; }

    /// <summary>
    /// Refuses the tickets concerned from now on, and ends the connections concerned; the mailboxes of removed devices go.
    /// </summary>
    public void Take(Revocations pushed)
    {
        foreach (var entry in pushed.Entries)
        {
            Add(entry);
            Position = entry.Position;
        }

        connections.CutRevoked();
    }

    /// <summary>Asks for everything next time. What is known stays known.</summary>
    public void StartOver() => Position = 0;

    private void Add(Revocation entry)
    {
        switch (entry.Kind)
        {
            case RevocationKind.Session:
                revoked.AddSession(entry.Session, entry.At);
                break;
            case RevocationKind.Device:
                var device = new DeviceAddress(entry.Client, entry.Device);
                revoked.AddDevice(device, entry.At);

                // Not waited for: should it fail, the auth server tells it again after the next start.
                _ = mailboxes.CloseAsync(device);
                break;
            case RevocationKind.Client:
                revoked.AddClient(entry.Client, entry.At);
                break;
            default:
                throw new InvalidOperationException("A revocation is of no known kind.");
        }
    }
}
