using System.Threading.Channels;
using KerberosMessaging.Client;

namespace KerberosMessaging.EndToEndTests.Support;

/// <summary>A client that receives all the time, as a chat program does.</summary>
internal sealed class Inbox : IAsyncDisposable
{
    private readonly CancellationTokenSource _closing = new();
    private readonly Channel<ReceivedMessage> _messages = Channel.CreateUnbounded<ReceivedMessage>();
    private readonly Task _running;
    private bool _isClosed;

    private Inbox(MessagingClient client) => _running = RunAsync(client);

    public static Inbox Open(MessagingClient client) => new(client);

    public async Task<ReceivedMessage> NextAsync(CancellationToken cancellationToken) =>
        await _messages.Reader.ReadAsync(cancellationToken);

    public async Task<string> NextTextAsync(CancellationToken cancellationToken) =>
        Person.TextOf(await NextAsync(cancellationToken));

    public async Task<List<string>> NextTextsAsync(int count, CancellationToken cancellationToken)
    {
        var texts = new List<string>();
        while (texts.Count < count)
        {
            texts.Add(await NextTextAsync(cancellationToken));
        }

        return texts;
    }

    /// <summary>Reads on until a text comes.</summary>
    public async Task UntilTextAsync(string text, CancellationToken cancellationToken)
    {
        while (await NextTextAsync(cancellationToken) != text)
        {
        }
    }

    /// <summary>Waits until receiving stops for good, and says why.</summary>
    public async Task<MessagingException> FailureAsync(CancellationToken cancellationToken) =>
        await Assert.ThrowsAsync<MessagingException>(() => _running.WaitAsync(cancellationToken));

    public async ValueTask DisposeAsync()
    {
        if (_isClosed)
        {
            return;
        }

        _isClosed = true;
        await _closing.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _closing.Dispose();
    }

    private async Task RunAsync(MessagingClient client)
    {
        try
        {
            await foreach (var message in client.ReceiveAsync(follow: true, _closing.Token))
            {
                _messages.Writer.TryWrite(message);
            }
        }
        catch (Exception e)
        {
            _messages.Writer.TryComplete(e);
            throw;
        }
    }
}
