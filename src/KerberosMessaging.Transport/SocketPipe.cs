using System.IO.Pipelines;
using System.Net.Sockets;

namespace KerberosMessaging.Transport;

/// <summary>A TCP connection as a pipe: what has arrived is taken, and what was written is sent, by one call for many frames.</summary>
internal sealed class SocketPipe(TcpClient client) : IDuplexPipe, IAsyncDisposable
{
    // As much as waits in the outgoing queue for one flush. Memory is rented when there is something to read or write.
    private const int BufferSize = 64 * 1024;

    public PipeReader Input { get; } = PipeReader.Create(
        client.GetStream(), new StreamPipeReaderOptions(bufferSize: BufferSize, useZeroByteReads: true));

    public PipeWriter Output { get; } = PipeWriter.Create(client.GetStream(), new StreamPipeWriterOptions(minimumBufferSize: BufferSize));

    public ValueTask DisposeAsync()
    {
        client.Dispose();
        return ValueTask.CompletedTask;
    }
}
