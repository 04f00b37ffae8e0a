using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;

namespace KerberosMessaging.MessageServer.Tests.Support;

/// <summary>A TCP connection whose end reads, from a moment on, a byte a second or nothing at all.</summary>
internal sealed class SlowPipe : IDuplexPipe, IAsyncDisposable
{
    private readonly TcpClient _client;

    private SlowPipe(TcpClient client)
    {
        _client = client;
        Reading = new SlowStream(client.GetStream());
        Input = PipeReader.Create(Reading);
        Output = PipeWriter.Create(client.GetStream());
    }

    public PipeReader Input { get; }

    public PipeWriter Output { get; }

    private SlowStream Reading { get; }

    public static async Task<SlowPipe> ConnectAsync(int port, CancellationToken cancellationToken)
    {
        // What the system takes in meanwhile is little, too.
        var client = new TcpClient { NoDelay = true, ReceiveBufferSize = 4096 };
        await client.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
        return new SlowPipe(client);
    }

    /// <summary>Slows down.</summary>
    public void SlowDown(bool toNothing) => Reading.Pause = toNothing ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(1);

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    private sealed class SlowStream(NetworkStream inner) : Stream
    {
        public TimeSpan Pause { get; set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (Pause == default)
            {
                return await inner.ReadAsync(buffer, cancellationToken);
            }

            await Task.Delay(Pause, cancellationToken);
            return await inner.ReadAsync(buffer[..1], cancellationToken);
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
