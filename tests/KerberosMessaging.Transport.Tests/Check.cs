using KerberosMessaging.Protocol;

namespace KerberosMessaging.Transport.Tests;

internal static class Check
{
    public static async Task RefusedAsync(ProtocolError error, Func<Task> action) =>
        Assert.Equal(error, (await Assert.ThrowsAsync<ProtocolException>(action)).Error);

    public static async Task<ChannelException> FailedAsync(ChannelFailure failure, Func<Task> action)
    {
        var e = await Assert.ThrowsAsync<ChannelException>(action);
        Assert.Equal(failure, e.Failure);
        return e;
    }
}
