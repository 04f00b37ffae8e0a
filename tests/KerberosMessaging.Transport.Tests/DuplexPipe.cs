using System.Buffers;
using System.IO.Pipelines;

namespace KerberosMessaging.Transport.Tests;

/// <summary>One end of a connection in memory.</summary>
internal sealed class DuplexPipe(PipeReader input, PipeWriter output) : IDuplexPipe, IAsyncDisposable
{
    public PipeReader Input { get; } = input;

    public PipeWriter Output { get; } = output;

    /// <summary>
    /// Both ends of a connection. With the inline scheduler a flush returns only when the other end has done all it can
    /// with the bytes, so that a test knows where it stands without waiting.
    /// </summary>
    public static (DuplexPipe Left, DuplexPipe Right) CreatePair(PipeScheduler scheduler)
    {
        var options = new PipeOptions(
            readerScheduler: scheduler,
            writerScheduler: scheduler,
            pauseWriterThreshold: 0,
            resumeWriterThreshold: 0,
            useSynchronizationContext: false);
        var toRight = new Pipe(options);
        var toLeft = new Pipe(options);
        return (new DuplexPipe(toLeft.Reader, toRight.Writer), new DuplexPipe(toRight.Reader, toLeft.Writer));
    }

    /// <summary>Takes whatever has arrived.</summary>
    public byte[] TakeArrived()
    {
        if (!Input.TryRead(out var result))
        {
            return [];
        }

        var bytes = result.Buffer.ToArray();
        Input.AdvanceTo(result.Buffer.End);
        return bytes;
    }

    public async Task SendAsync(ReadOnlyMemory<byte> bytes) => await Output.WriteAsync(bytes);

    public async ValueTask DisposeAsync()
    {
        await Output.CompleteAsync();
        await Input.CompleteAsync();
    }
}
