using KerberosMessaging.Client.Connections;
using KerberosMessaging.Protocol;
using KerberosMessaging.Transport;

namespace KerberosMessaging.Client.Tests;

/// <summary>What callers are told of what the transport throws.</summary>
public sealed class FailuresTests
{
    [Theory]
    [InlineData(0, "the server has too many connections or requests; try again later")]
    [InlineData(1, "the server has too many connections or requests; try again in 1 s")]
    [InlineData(5001, "the server has too many connections or requests; try again in 6 s")]
    public void An_overloaded_server_is_told_with_its_wait(int milliseconds, string message)
    {
        var e = Failures.Translate(
            new ChannelException(ProtocolError.Overloaded, TimeSpan.FromMilliseconds(milliseconds)), "the server");

        Assert.Equal(MessagingFailure.TooManyRequests, e.Failure);
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), e.RetryAfter);
        Assert.Equal(message, e.Message);
        Assert.True(Failures.IsWorthRetrying(e));
    }

    [Fact]
    public void An_error_frame_in_clear_keeps_nobody_away_for_long()
    {
        var e = Failures.Translate(
            new ChannelException(ProtocolError.Overloaded, TimeSpan.FromMilliseconds(uint.MaxValue)), "the server");

        Assert.Equal(TimeSpan.FromMinutes(1), e.RetryAfter);
    }

    [Theory]
    [InlineData(ProtocolError.TooManyRequests, MessagingFailure.TooManyRequests)]
    [InlineData(ProtocolError.Busy, MessagingFailure.Unreachable)]
    [InlineData(ProtocolError.QuotaExceeded, MessagingFailure.MailboxFull)]
    [InlineData(ProtocolError.ClientDisabled, MessagingFailure.ClientDisabled)]
    [InlineData(ProtocolError.UnknownDevice, MessagingFailure.UnknownDevice)]
    [InlineData(ProtocolError.UnknownServer, MessagingFailure.Refused)]
    [InlineData((ProtocolError)999, MessagingFailure.Refused)]
    public void A_refused_request_has_its_failure_and_its_wait(ProtocolError error, MessagingFailure failure)
    {
        var e = Failures.Translate(new RequestRefusedException(error, TimeSpan.FromSeconds(7)));

        Assert.Equal(failure, e.Failure);
        Assert.Equal(TimeSpan.FromSeconds(7), e.RetryAfter);
    }

    [Fact]
    public void A_wait_is_never_shorter_than_the_delay_and_never_endless()
    {
        Assert.Equal(TimeSpan.FromSeconds(2), Retry.Wait(After(TimeSpan.FromSeconds(1)), TimeSpan.FromSeconds(2)));
        Assert.Equal(TimeSpan.FromSeconds(3), Retry.Wait(After(TimeSpan.FromSeconds(3)), TimeSpan.FromSeconds(2)));
        Assert.Equal(TimeSpan.FromHours(1), Retry.Wait(After(TimeSpan.FromMilliseconds(uint.MaxValue)), TimeSpan.FromSeconds(2)));
    }

    private static MessagingException After(TimeSpan retryAfter) =>
        new(MessagingFailure.TooManyRequests, "too many") { RetryAfter = retryAfter };
}
