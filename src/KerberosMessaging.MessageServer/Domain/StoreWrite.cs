namespace KerberosMessaging.MessageServer.Domain;

/// <summary>One write to the store, which shares a transaction with all that waits beside it.</summary>
internal abstract class StoreWrite
{
    /// <summary>Bytes that the write holds in memory while it waits.</summary>
    public virtual long Size => 0;

    /// <summary>Called right before the write is carried out.</summary>
    /// <param name="batch">What is carried out together; more may be added to it.</param>
    /// <returns>False when the write is not needed any more. It is not completed then.</returns>
    public virtual bool Prepare(CommitBatch batch) => true;

    /// <summary>Tells whoever waits that the write is on disk, or that it was not carried out. Must neither throw nor wait.</summary>
    public abstract void Complete(bool isCommitted);
}

/// <summary>A write with a result that somebody waits for.</summary>
/// <typeparam name="T">What the store answers.</typeparam>
internal abstract class StoreWrite<T> : StoreWrite
{
    // Whoever waits goes on elsewhere: the one writer must not run their code.
    private readonly TaskCompletionSource<Committed<T>> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Set by the store; means nothing before the commit.</summary>
    public T Result { get; set; } = default!;

    public Task<Committed<T>> Completion => _completion.Task;

    public override void Complete(bool isCommitted) =>
        _completion.TrySetResult(isCommitted ? new Committed<T>(true, Result) : default);
}
