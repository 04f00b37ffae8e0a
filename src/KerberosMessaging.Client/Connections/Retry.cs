namespace KerberosMessaging.Client.Connections;

/// <summary>Tries an operation again, with growing delay, while its failure is one that a new connection can mend.</summary>
internal static class Retry
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    public static async Task<T> RunAsync<T>(
        MessagingOptions options,
        Func<CancellationToken, Task<T>> operation,
        CancellationToken cancellationToken)
    {
        var started = options.Time.GetTimestamp();
        var delay = options.FirstReconnectDelay;
        while (true)
        {
            using var timeout = new CancellationTokenSource(Left(), options.Time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
            try
            {
                return await operation(either.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested && timeout.IsCancellationRequested)
            {
                throw new MessagingException(MessagingFailure.Unreachable, "the server did not answer in time", e);
            }
            catch (MessagingException e) when (Failures.IsWorthRetrying(e) && Wait(e, delay) < Left())
            {
                await Task.Delay(Wait(e, delay), options.Time, cancellationToken).ConfigureAwait(false);
                delay = Next(options, delay);
            }
        }

        TimeSpan Left()
        {
            var left = options.OperationTimeout - options.Time.GetElapsedTime(started);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    /// <summary>Tries an operation once, for no longer than operations may take.</summary>
    public static async Task<T> OnceAsync<T>(
        MessagingOptions options,
        Func<CancellationToken, Task<T>> operation,
        CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(options.OperationTimeout, options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            return await operation(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested && timeout.IsCancellationRequested)
        {
            throw new MessagingException(MessagingFailure.Unreachable, "the server did not answer in time", e);
        }
    }

    /// <summary>How long to wait after a failure: at least as long as the server asked for, but not for ever.</summary>
    public static TimeSpan Wait(MessagingException e, TimeSpan delay)
    {
        var asked = Believable(e.RetryAfter);
        return asked > delay ? asked : delay;
    }

    /// <summary>What a server asked for, but not for ever.</summary>
    public static TimeSpan Believable(TimeSpan asked) => asked < LongestWait ? asked : LongestWait;

    /// <summary>The delay after this one.</summary>
    public static TimeSpan Next(MessagingOptions options, TimeSpan delay) =>
        delay * 2 < options.LongestReconnectDelay ? delay * 2 : options.LongestReconnectDelay;
}
