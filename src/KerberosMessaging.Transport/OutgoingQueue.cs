using System.Threading.Channels;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Transport;

/// <summary>
/// The one writer of a channel: replies, requests and pushes share a bounded queue and one loop, so there is no write
/// lock, and frames that wait together leave in one flush.
/// </summary>
public sealed class OutgoingQueue
{
    // Enough for the pipelined requests of one peer; a full queue makes its producers wait.
    private const int Capacity = 4096;

    private readonly SecureChannel _channel;
    private readonly Channel<Outgoing> _queue = Channel.CreateBounded<Outgoing>(
        new BoundedChannelOptions(Capacity) { SingleReader = true });

    /// <summary>Makes a queue; <see cref="RunAsync"/> must be started for anything to leave.</summary>
    /// <param name="channel">The channel to write to.</param>
    public OutgoingQueue(SecureChannel channel) => _channel = channel;

    /// <summary>Queues a message.</summary>
    /// <param name="message">The message.</param>
    /// <param name="requestId">The requester's number; 0 in pushes.</param>
    /// <param name="cancellationToken">Ends the wait for room.</param>
    /// <exception cref="ChannelException">The connection is ending.</exception>
    public ValueTask EnqueueAsync(IWireMessage message, uint requestId, CancellationToken cancellationToken) =>
        EnqueueAsync(new Outgoing(message, requestId, null), cancellationToken);

    /// <summary>
    /// Queues a message after which nothing is sent until <paramref name="mixKey"/> is there; if it is a key, it is then
    /// mixed into the sending keys (AP exchange). The queue disposes of the key.
    /// </summary>
    /// <param name="message">The message.</param>
    /// <param name="requestId">The requester's number.</param>
    /// <param name="mixKey">The ticket's session key, or null when the exchange failed.</param>
    /// <param name="cancellationToken">Ends the wait for room.</param>
    /// <exception cref="ChannelException">The connection is ending.</exception>
    public ValueTask EnqueueBarrierAsync(
        IWireMessage message,
        uint requestId,
        Task<SecretBytes?> mixKey,
        CancellationToken cancellationToken) =>
        EnqueueAsync(new Outgoing(message, requestId, mixKey), cancellationToken);

    /// <summary>Queues a message if there is room now.</summary>
    /// <param name="message">The message.</param>
    /// <param name="requestId">The requester's number; 0 in pushes.</param>
    /// <param name="size">About how many bytes it keeps in memory until it is sent.</param>
    /// <returns>False when the queue is full or the connection is ending.</returns>
    public bool TryEnqueue(IWireMessage message, uint requestId, int size = 0) => _queue.Writer.TryWrite(new Outgoing(message, requestId, null));

    /// <summary>Whether little enough waits.</summary>
    public bool HasRoom => _queue.Reader.Count < 256;

    /// <summary>Waits for room.</summary>
    public async ValueTask WaitForRoomAsync(CancellationToken cancellationToken)
    {
        while (!HasRoom)
        {
            await Task.Delay(1, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Takes no more messages; <see cref="RunAsync"/> ends once what waits has left.</summary>
    public void Complete() => _queue.Writer.TryComplete();

    /// <summary>Writes until <see cref="Complete"/> was called and the queue is empty, or the peer is gone.</summary>
    /// <param name="cancellationToken">Ends the loop at once.</param>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (await _queue.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
            {
                Task<SecretBytes?>? barrier = null;
                while (barrier is null && _queue.Reader.TryRead(out var outgoing))
                {
                    _channel.Write(outgoing.Message, outgoing.RequestId);
                    barrier = outgoing.MixKey;
                }

                if (!await _channel.FlushAsync(cancellationToken).ConfigureAwait(false))
                {
                    return;
                }

                if (barrier is not null)
                {
                    using var key = await barrier.WaitAsync(cancellationToken).ConfigureAwait(false);
                    if (key is not null)
                    {
                        _channel.MixSend(key.Span);
                    }
                }
            }
        }
        finally
        {
            _queue.Writer.TryComplete();
        }
    }

    private async ValueTask EnqueueAsync(Outgoing outgoing, CancellationToken cancellationToken)
    {
        try
        {
            await _queue.Writer.WriteAsync(outgoing, cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException e)
        {
            throw new ChannelException(ChannelFailure.ConnectionLost, "The connection is ending.", e);
        }
    }

    private readonly record struct Outgoing(IWireMessage Message, uint RequestId, Task<SecretBytes?>? MixKey);
}
