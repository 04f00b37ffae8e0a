namespace KerberosMessaging.Client.Tests.Support;

internal static class Reading
{
    /// <summary>Reads all that waits.</summary>
    public static async Task<List<ReceivedMessage>> ReceiveAllAsync(this MessagingClient client, CancellationToken cancellationToken)
    {
        var messages = new List<ReceivedMessage>();
        await foreach (var message in client.ReceiveAsync(follow: false, cancellationToken))
        {
            messages.Add(message);
        }

        return messages;
    }

    /// <summary>The texts of all that waits; null for what could not be read.</summary>
    public static async Task<List<string?>> ReadAllAsync(this MessagingClient client, CancellationToken cancellationToken) =>
        (await client.ReceiveAllAsync(cancellationToken)).ConvertAll(static message => message.Content?.Text);
}
