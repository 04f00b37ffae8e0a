using System.Net;
using System.Net.Sockets;

namespace KerberosMessaging.EndToEndTests.Support;

/// <summary>Someone on the wire: passes everything on and keeps it.</summary>
internal sealed class RecordingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _closing = new();
    private readonly List<RecordedConnection> _connections = [];
    private readonly Task _accepting;

    public RecordingProxy()
    {
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    public int Port { get; }

    /// <summary>Where everything goes; to be set before the first client comes.</summary>
    public int Target { get; set; }

    public IReadOnlyList<RecordedConnection> Connections
    {
        get
        {
            lock (_connections)
            {
                return [.. _connections];
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        _listener.Stop();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(Connections.Select(static connection => connection.Ended));
        _closing.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            var client = await _listener.AcceptTcpClientAsync(_closing.Token);
            lock (_connections)
            {
                _connections.Add(new RecordedConnection(client, Target, _closing.Token));
            }
        }
    }
}
