using System.Security.Cryptography;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Tests.Support;

/// <summary>A message whose sender is the test.</summary>
internal sealed class TestSend(Submission submission, DateTimeOffset acceptedAt) : PendingSend(submission, acceptedAt)
{
    private readonly TaskCompletionSource<SendResult> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _answers;

    public MessageId Message => Submission.Message;

    public bool IsAnswered => _answer.Task.IsCompleted;

    /// <summary>How often it was answered; anything but 1 is a fault once it was.</summary>
    public int Answers => Volatile.Read(ref _answers);

    public Task<SendResult> AnswerAsync(CancellationToken cancellationToken) => _answer.Task.WaitAsync(Until.Deadline, cancellationToken);

    public override void Answer(SendResult result)
    {
        Interlocked.Increment(ref _answers);
        _answer.TrySetResult(result);
    }

    /// <summary>A message with one envelope for each device, which all are of one client.</summary>
    public static Submission Of(
        TestDevice sender, TestDevice[] recipients, byte[]? body = null, MessageId? id = null, uint timeToLive = 0, bool isEphemeral = false) =>
        new(
            sender.Address,
            sender.Name,
            id ?? MessageId.New(),
            recipients[0].Client,
            timeToLive,
            isEphemeral,
            [.. recipients.Select(recipient => new SubmittedEnvelope(recipient.Device, body ?? RandomNumberGenerator.GetBytes(50)))],
            []);
}
