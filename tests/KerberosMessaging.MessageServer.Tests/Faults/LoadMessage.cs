using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.MessageServer.Tests.Faults;

/// <summary>A message as its sender keeps it until the server has answered it.</summary>
/// <param name="sender">Who sends it.</param>
/// <param name="number">Counts the messages from this sender to this recipient, from 1.</param>
/// <param name="recipient">Who is to have it.</param>
internal sealed class LoadMessage(TestDevice sender, int number, TestDevice recipient)
{
    private int _attempts;

    public TestDevice Sender => sender;

    public int Number => number;

    /// <summary>The same bytes each time.</summary>
    public SendMessageRequest Request { get; } = TestClient.Message(recipient);

    public MessageId Id => Request.Message;

    /// <summary>Whether the server was asked more than once to take it.</summary>
    public bool IsRepeated => Volatile.Read(ref _attempts) > 1;

    public void Attempt() => Interlocked.Increment(ref _attempts);
}
