using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Transport;

/// <content>Finds out that the peer has gone without a word, and tells it that this end has not.</content>
public sealed partial class RequestConnection
{
    private int _silentIntervals;
    private volatile bool _isSilent;

    private async Task WatchAsync(ChannelOptions options)
    {
        var keepAlive = new KeepAlive(options.PingAfter, options.DeadAfter);
        while (await PassesAsync(keepAlive.Interval, options.Time).ConfigureAwait(false))
        {
            switch (keepAlive.Next(ref _silentIntervals))
            {
                case KeepAliveStep.Ping:
                    Ping();
                    break;
                case KeepAliveStep.End:
                    _isSilent = true;
                    await _closing.CancelAsync().ConfigureAwait(false);
                    return;
            }
        }
    }

    // Each interval begins where this one was noticed: a clock that leaps, such as after a machine slept, is one interval. False when
    // the connection ends.
    private async ValueTask<bool> PassesAsync(TimeSpan interval, TimeProvider time)
    {
        await Task.Delay(interval, time, _closing.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return !_closing.IsCancellationRequested;
    }

    // Where there is no room, the peer hears enough already, or takes nothing any more.
    private void Ping()
    {
        if (TryRegister(AnyReply.Instance, out var requestId) && !_outgoing.TryEnqueue(new PingRequest(), requestId))
        {
            TryUnregister(requestId);
        }
    }

    /// <summary>Every reply is a sign of life, whatever it says.</summary>
    private sealed class AnyReply : IReplyHandler
    {
        public static readonly AnyReply Instance = new();

        public void OnReply(MessageCode code, ReadOnlyMemory<byte> payload)
        {
        }

        public void OnFailed(ChannelException reason)
        {
        }
    }
}
