using System.Collections.Concurrent;
using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;

namespace KerberosMessaging.MessageServer.Tests.Faults;

/// <summary>
/// Sends to all recipients in turn, many messages at once, over as many lives of the server as it takes. What was not answered is
/// sent again first, in its order and as it was.
/// </summary>
internal sealed class LoadSender(TestDevice device, IReadOnlyList<LoadRecipient> recipients, ConcurrentDictionary<MessageId, LoadMessage> sent)
{
    private const int Window = 120;

    private readonly int[] _numbers = new int[recipients.Count];
    private List<LoadMessage> _unanswered = [];
    private int _turn;
    private int _accepted;

    /// <summary>How many messages were answered as accepted.</summary>
    public int Accepted => Volatile.Read(ref _accepted);

    /// <summary>How many messages there are for a recipient.</summary>
    public int SentTo(int recipient) => _numbers[recipient];

    /// <summary>Sends until the server dies.</summary>
    public async Task SendAsync(Func<TestDevice, Task<TestClient>> signIn)
    {
        try
        {
            await using var client = await signIn(device);
            await SendAsync(client, isLast: false);
        }
        catch (ChannelException)
        {
            // The server is dead.
        }
    }

    /// <summary>Sends what was not answered before, and nothing new.</summary>
    public async Task FinishAsync(Func<TestDevice, Task<TestClient>> signIn)
    {
        await using var client = await signIn(device);
        await SendAsync(client, isLast: true);
    }

    private async Task SendAsync(TestClient client, bool isLast)
    {
        var again = new Queue<LoadMessage>(_unanswered);
        var waiting = new Queue<(LoadMessage Message, Task<MessageAccepted> Answer)>();
        try
        {
            while (again.TryDequeue(out var message) || !isLast)
            {
                if (waiting.Count == Window)
                {
                    await waiting.Peek().Answer;
                    waiting.Dequeue();
                    Interlocked.Increment(ref _accepted);
                }

                message ??= Next();
                message.Attempt();
                waiting.Enqueue((message, client.Connection.RequestAsync<MessageAccepted>(message.Request, CancellationToken.None)));
            }

            while (waiting.TryPeek(out var oldest))
            {
                await oldest.Answer;
                waiting.Dequeue();
                Interlocked.Increment(ref _accepted);
            }
        }
        finally
        {
            // Answers come in any order, so there may be some behind the oldest that is missing.
            _unanswered = [];
            foreach (var (message, answer) in waiting)
            {
                await ((Task)answer).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (answer.IsCompletedSuccessfully)
                {
                    Interlocked.Increment(ref _accepted);
                }
                else
                {
                    _unanswered.Add(message);
                }
            }

            _unanswered.AddRange(again);
        }
    }

    private LoadMessage Next()
    {
        var recipient = _turn++ % recipients.Count;
        var message = new LoadMessage(device, ++_numbers[recipient], recipients[recipient].Device);
        sent[message.Id] = message;
        return message;
    }
}
