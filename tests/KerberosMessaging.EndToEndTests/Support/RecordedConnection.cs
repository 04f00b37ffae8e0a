using System.Net;
using System.Net.Sockets;

namespace KerberosMessaging.EndToEndTests.Support;

/// <summary>One connection through a <see cref="RecordingProxy"/>, byte by byte.</summary>
internal sealed class RecordedConnection
{
    private readonly List<byte> _fromClient = [];
    private readonly List<byte> _fromServer = [];

    public RecordedConnection(TcpClient client, int target, CancellationToken cancellationToken) =>
        Ended = RelayAsync(client, target, cancellationToken);

    /// <summary>Completes when either side has left. It never faults.</summary>
    public Task Ended { get; }

    public byte[] FromClient => Copy(_fromClient);

    public byte[] FromServer => Copy(_fromServer);

    private static byte[] Copy(List<byte> recorded)
    {
        lock (recorded)
        {
            return [.. recorded];
        }
    }

    private async Task RelayAsync(TcpClient client, int target, CancellationToken cancellationToken)
    {
        using (client)
        using (var server = new TcpClient { NoDelay = true })
        {
            client.NoDelay = true;
            try
            {
                await server.ConnectAsync(IPAddress.Loopback, target, cancellationToken);
                await Task.WhenAny(
                    CopyAsync(client.GetStream(), server.GetStream(), _fromClient, cancellationToken),
                    CopyAsync(server.GetStream(), client.GetStream(), _fromServer, cancellationToken));
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                // Nobody there: the client sees its connection end.
            }
        }
    }

    private static async Task CopyAsync(NetworkStream from, NetworkStream to, List<byte> record, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            int read;
            while ((read = await from.ReadAsync(buffer, cancellationToken)) > 0)
            {
                lock (record)
                {
                    record.AddRange(buffer.AsSpan(0, read));
                }

                await to.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // One side has left.
        }
    }
}
