using KerberosMessaging.Protocol;

namespace KerberosMessaging.Transport.Tests;

internal static class Check
{
    /// <summary>How long what a test waits for may take: for ever would be a hang and not a failure.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public static async Task RefusedAsync(ProtocolError error, Func<Task> action) =>
        Assert.Equal(error, (await Assert.ThrowsAsync<ProtocolException>(() => action().WaitAsync(Patience))).Error);

    public static async Task<ChannelException> FailedAsync(ChannelFailure failure, Func<Task> action)
    {
        var e = await Assert.ThrowsAsync<ChannelException>(() => action().WaitAsync(Patience));
        Assert.Equal(failure, e.Failure);
        return e;
    }
}
