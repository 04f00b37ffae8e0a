namespace KerberosMessaging.Client.Tests.Support;

internal static class Refusal
{
    /// <summary>Nothing but an exception of the SDK's own family, with this failure.</summary>
    public static async Task<MessagingException> OfAsync(MessagingFailure failure, Func<Task> action)
    {
        var e = await Assert.ThrowsAsync<MessagingException>(action);
        Assert.Equal(failure, e.Failure);
        AssertOneLine(e);
        return e;
    }

    /// <summary>Nothing but an exception of the SDK's own family, whatever its failure.</summary>
    public static async Task OfAnyKindAsync(Func<Task> action) => AssertOneLine(await Assert.ThrowsAsync<MessagingException>(action));

    private static void AssertOneLine(MessagingException e)
    {
        Assert.NotEmpty(e.Message);
        Assert.DoesNotContain('\n', e.Message);
    }
}
