using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Wire;

/// <summary>
/// Before a connection is served: where it comes from a trusted proxy, its header is read, and the address in it becomes the
/// connection's. The proxy must send one: where a header was optional, its clients could send their own. From anybody else no
/// header is read, so nobody can pass for another address.
/// </summary>
internal sealed partial class ProxyProtocol(IOptions<WireOptions> options, TimeProvider time, ILogger<ProxyProtocol> logger)
{
    private readonly IReadOnlyList<IPNetwork> _trusted = options.Value.TrustedProxies() ?? [];
    private readonly TimeSpan _deadline = TimeSpan.FromSeconds(options.Value.HandshakeDeadlineSeconds);

    /// <summary>Whether any proxy is trusted.</summary>
    public bool IsOn => _trusted.Count > 0;

    /// <summary>Reads the header, if there must be one, and serves the connection.</summary>
    public async Task OnConnectedAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        if (!IsTrusted(connection.RemoteEndPoint) || await TryReadAsync(connection))
        {
            await next(connection);
        }
    }

    private bool IsTrusted(EndPoint? peer)
    {
        if (peer is not IPEndPoint { Address: var address })
        {
            return false;
        }

        // A port that listens on both kinds of addresses shows IPv4 peers in IPv6 form.
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return _trusted.Any(network => network.Contains(plain));
    }

    private async Task<bool> TryReadAsync(ConnectionContext connection)
    {
        var stopRequested = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;
        using var deadline = new CancellationTokenSource(_deadline, time);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed, stopRequested, deadline.Token);
        try
        {
            while (true)
            {
                switch (await ReadOnceAsync(connection, ending.Token))
                {
                    case ProxyHeaderState.Complete:
                        return true;
                    case ProxyHeaderState.Malformed:
                        Log.Malformed(logger, connection.ConnectionId);
                        return false;
                }
            }
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            Log.Late(logger, connection.ConnectionId);
            return false;
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ConnectionAbortedException)
        {
            WireLog.PeerGone(logger, connection.ConnectionId);
            return false;
        }
    }

    private static async Task<ProxyHeaderState> ReadOnceAsync(ConnectionContext connection, CancellationToken cancellationToken)
    {
        var input = connection.Transport.Input;
        var read = await input.ReadAsync(cancellationToken);
        var state = ProxyHeader.Read(read.Buffer, out var length, out var source);
        if (state != ProxyHeaderState.Complete)
        {
            input.AdvanceTo(read.Buffer.Start, read.Buffer.End);

            // The end of the stream inside a header is not a header.
            return read.IsCompleted ? ProxyHeaderState.Malformed : state;
        }

        input.AdvanceTo(read.Buffer.GetPosition(length));
        connection.RemoteEndPoint = source ?? connection.RemoteEndPoint;
        return state;
    }

    private static partial class Log
    {
        [LoggerMessage(1051, LogLevel.Warning, "Connection {ConnectionId} from a trusted proxy was closed: it did not begin with a PROXY protocol header. Does the proxy send one?")]
        public static partial void Malformed(ILogger logger, string connectionId);

        [LoggerMessage(1052, LogLevel.Information, "Connection {ConnectionId} from a trusted proxy was closed: its PROXY protocol header did not come in time.")]
        public static partial void Late(ILogger logger, string connectionId);
    }
}
