using System.Net;
using System.Net.Sockets;

namespace KerberosMessaging.AuthServer.Tests.Support;

/// <summary>An attacker on the path of one connection: keeps what passes, and puts bytes of its own in between.</summary>
internal sealed class InjectingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly List<byte> _fromClient = [];
    private readonly List<byte> _fromServer = [];
    private readonly Task _passing;
    private TcpClient? _server;

    public InjectingProxy(int serverPort)
    {
        _listener.Start();
        _passing = PassAsync(serverPort);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public byte[] FromClient => Copy(_fromClient);

    public byte[] FromServer => Copy(_fromServer);

    /// <summary>Sends bytes to the server as if its client had sent them.</summary>
    public async Task InjectAsync(byte[] bytes) =>
        await _server!.GetStream().WriteAsync(bytes, TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _passing;
    }

    private static byte[] Copy(List<byte> recorded)
    {
        lock (recorded)
        {
            return [.. recorded];
        }
    }

    private static async Task PassAsync(NetworkStream from, Socket to, List<byte> recorded)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReadAsync(buffer) is var length and > 0)
            {
                lock (recorded)
                {
                    recorded.AddRange(buffer.AsSpan(0, length));
                }

                await to.SendAsync(buffer.AsMemory(0, length));
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            to.Close();
        }
    }

    private async Task PassAsync(int serverPort)
    {
        try
        {
            using var client = await _listener.AcceptTcpClientAsync();
            using var server = new TcpClient();
            await server.ConnectAsync(IPAddress.Loopback, serverPort);
            client.NoDelay = server.NoDelay = true;
            _server = server;
            await Task.WhenAll(
                PassAsync(client.GetStream(), server.Client, _fromClient),
                PassAsync(server.GetStream(), client.Client, _fromServer));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Nobody came.
        }
    }
}
