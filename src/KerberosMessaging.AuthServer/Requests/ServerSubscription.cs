using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;

namespace KerberosMessaging.AuthServer.Requests;

/// <summary>The pushes to one message server, for as long as its channel lasts.</summary>
internal sealed partial class ServerSubscription
{
    private readonly WireConnection _connection;
    private readonly ServerId _server;
    private readonly RevocationLog _revocations;
    private readonly MessageServers _servers;
    private readonly RealmKeys _keys;
    private readonly ILogger _logger;

    private ServerSubscription(
        WireConnection connection, RevocationLog revocations, MessageServers servers, RealmKeys keys, ILogger logger)
    {
        _connection = connection;
        _server = connection.Server!.Value;
        _revocations = revocations;
        _servers = servers;
        _keys = keys;
        _logger = logger;
    }

    public static ServerSubscription Start(
        WireConnection connection,
        long after,
        RevocationLog revocations,
        MessageServers servers,
        RealmKeys keys,
        ILogger<ServerSubscription> logger)
    {
        var subscription = new ServerSubscription(connection, revocations, servers, keys, logger);
        var closing = connection.Closing;
        _ = Task.Run(() => subscription.RunAsync(after, closing), CancellationToken.None);
        return subscription;
    }

    private async Task RunAsync(long after, CancellationToken closing)
    {
        try
        {
            var signingKey = _servers.Find(_server)?.SigningKey;
            var known = NewestKeys(_servers.Find(_server));
            while (true)
            {
                // Taken before looking, so that what is added in between wakes it again.
                var revoked = _revocations.Changed;
                var changed = _servers.Changed;
                while (_revocations.ReadAfter(after, ProtocolLimits.RevocationsPerPush) is { Count: > 0 } entries)
                {
                    await _connection.PushAsync(new Protocol.Messages.Revocations([.. entries.Select(ToWire)]), closing);
                    after = entries[^1].Position;
                }

                var server = _servers.Find(_server);
                if (server is null || !server.SigningKey.AsSpan().SequenceEqual(signingKey))
                {
                    // Disabled, or enrolled anew with another key: this one is a stranger now.
                    _connection.Close(NoticeKind.SessionEnded);
                    return;
                }

                // Told of what is new alone: what the server confirms changes it too, and would be told for ever.
                if (NewestKeys(server) is var newest && newest != known)
                {
                    known = newest;
                    await _connection.PushAsync(new ServerKeysChanged(), closing);
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
            Log.Failed(_logger, e, _server);
            _connection.Close(NoticeKind.SessionEnded);
        }
    }

    private (uint Service, uint TicketSigning) NewestKeys(MessageServer? server) =>
        (server?.Keys[^1].Version ?? 0, _keys.TicketSigningVersion);

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
