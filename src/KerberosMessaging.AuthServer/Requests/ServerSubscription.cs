using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;

namespace KerberosMessaging.AuthServer.Requests;

/// <summary>The pushes to one message server, for as long as its channel lasts.</summary>
internal sealed partial class ServerSubscription(
    WireConnection connection,
    MessageServer server,
    RevocationLog revocations,
    MessageServers servers,
    RealmKeys keys,
    ILogger<ServerSubscription> logger)
{
    /// <summary>Begins to push what is in the revocation log after a position.</summary>
    public void Start(long after)
    {
        var closing = connection.Closing;
        _ = Task.Run(() => RunAsync(after, closing), CancellationToken.None);
    }

    private async Task RunAsync(long after, CancellationToken closing)
    {
        try
        {
            var known = NewestKeys(server);
            while (true)
            {
                // Taken before looking, so that what is added in between wakes it again.
                var revoked = revocations.Changed;
                var changed = servers.Changed;
                if (connection.FindServer(servers) is not { } current)
                {
                    // Disabled, or enrolled anew with another key: this one is a stranger now.
                    connection.Close(NoticeKind.SessionEnded);
                    return;
                }

                while (revocations.ReadAfter(after, ProtocolLimits.RevocationsPerPush) is { Count: > 0 } entries)
                {
                    await connection.PushAsync(new Protocol.Messages.Revocations([.. entries.Select(ToWire)]), closing);
                    after = entries[^1].Position;
                }

                // Told of what is new alone: what the server confirms changes it too, and would be told for ever.
                if (NewestKeys(current) is var newest && newest != known)
                {
                    known = newest;
                    await connection.PushAsync(new ServerKeysChanged(), closing);
                }

                await Task.WhenAny(revoked, changed).WaitAsync(closing);
            }
        }
        catch (Exception e) when (e is ChannelException or OperationCanceledException)
        {
            // The channel ended; the server comes back and asks from its position on.
        }
        catch (Exception e)
        {
            Log.Failed(logger, e, server.Id);
            connection.Close(NoticeKind.SessionEnded);
        }
    }

    private (uint Service, uint TicketSigning) NewestKeys(MessageServer current) =>
        (current.Keys[^1].Version, keys.TicketSigningVersion);

    private static Revocation ToWire(RevocationRow row) => new(
        (ulong)row.Position,
        (Protocol.Messages.RevocationKind)row.Kind,
        new ClientId(row.ClientId),
        new DeviceId(row.DeviceId),
        new SessionId(row.SessionId),
        row.At);

    private static partial class Log
    {
        [LoggerMessage(2101, LogLevel.Error, "The subscription of message server {Server} failed; it has to come back.")]
        public static partial void Failed(ILogger logger, Exception exception, ServerId server);
    }
}
