using System.Buffers;
using System.Net;
using System.Net.Sockets;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.AuthServer.Tests.Support;

/// <summary>Stands between one client and the server and keeps every byte that passes.</summary>
internal sealed class RecordingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly MemoryStream _fromClient = new();
    private readonly MemoryStream _fromServer = new();
    private readonly Task _passing;

    public RecordingProxy(int serverPort)
    {
        _listener.Start();
        _passing = PassAsync(serverPort);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public byte[] FromClient => Copy(_fromClient);

    public byte[] FromServer => Copy(_fromServer);

    /// <summary>Splits a stream into its frames, as anybody on the path can.</summary>
    public static List<(FrameHeader Header, byte[] Payload)> Frames(byte[] stream)
    {
        var frames = new List<(FrameHeader, byte[])>();
        var rest = stream.AsMemory();
        while (!rest.IsEmpty)
        {
            Assert.True(FrameHeader.TryRead(new ReadOnlySequence<byte>(rest), ProtocolLimits.PayloadAfterAuthentication, out var header));
            frames.Add((header, rest.Slice(FrameHeader.Size, header.PayloadSize).ToArray()));
            rest = rest[(FrameHeader.Size + header.PayloadSize)..];
        }

        return frames;
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _passing;
        await _fromClient.DisposeAsync();
        await _fromServer.DisposeAsync();
    }

    private static byte[] Copy(MemoryStream recorded)
    {
        lock (recorded)
        {
            return recorded.ToArray();
        }
    }

    private static async Task PassAsync(NetworkStream from, Socket to, MemoryStream recorded)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReadAsync(buffer) is var length and > 0)
            {
                // Before it is passed on: what an end has received is recorded.
                lock (recorded)
                {
                    recorded.Write(buffer.AsSpan(0, length));
                }

                await to.SendAsync(buffer.AsMemory(0, length));
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is IOException or SocketException)
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
