using KerberosMessaging.MessageServer.Domain;

namespace KerberosMessaging.MessageServer.Tests.Support;

/// <summary>Puts an envelope into the store with nothing of a mailbox around it.</summary>
internal sealed class TestAppend(long mailbox, StoredEnvelope envelope, DateTimeOffset expiresAt) : AppendWrite
{
    private readonly TaskCompletionSource<bool> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override long MailboxId => mailbox;

    public override StoredEnvelope Envelope => envelope;

    public override DateTimeOffset ExpiresAt => expiresAt;

    public Task<bool> Completion => _completion.Task;

    public override void Complete(bool isCommitted) => _completion.TrySetResult(isCommitted);
}
