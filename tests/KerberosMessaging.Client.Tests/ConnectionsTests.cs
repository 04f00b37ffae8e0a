using KerberosMessaging.Client.Connections;
using KerberosMessaging.Client.Tests.Support;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Tickets;
using KerberosMessaging.Transport;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.Client.Tests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

public sealed class ConnectionsTests
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 20_000;

    private static readonly DateTimeOffset Noon = new(2030, 1, 2, 12, 0, 0, TimeSpan.Zero);

    private readonly FakeTimeProvider _clock = new(Noon);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private MessagingOptions Options => new()
    {
        StorePath = "unused",
        OperationTimeout = TimeSpan.FromSeconds(10),
        FirstReconnectDelay = TimeSpan.FromSeconds(1),
        LongestReconnectDelay = TimeSpan.FromSeconds(3),
        Time = _clock,
    };

    [Fact]
    public void Delays_double_up_to_the_longest()
    {
        var delays = new List<double>();
        for (var delay = Options.FirstReconnectDelay; delays.Count < 5; delay = Retry.Next(Options, delay))
        {
            delays.Add(delay.TotalSeconds);
        }

        Assert.Equal([1, 2, 3, 3, 3], delays);
    }

    [Fact(Timeout = Patience)]
    public async Task An_unreachable_server_is_tried_again_until_it_answers()
    {
        var tries = new List<DateTimeOffset>();

        var answer = await WhileTimePassesAsync(Retry.RunAsync(
            Options,
            _ =>
            {
                tries.Add(_clock.GetUtcNow());
                return tries.Count < 4
                    ? throw new MessagingException(MessagingFailure.Unreachable, "not yet")
                    : Task.FromResult("there");
            },
            Cancel));

        Assert.Equal("there", answer);
        Assert.Equal([0, 1, 3, 6], tries.Select(static at => (int)(at - Noon).TotalSeconds));
    }

    [Fact(Timeout = Patience)]
    public async Task A_server_that_stays_unreachable_is_given_up_in_time()
    {
        var tries = 0;

        await Refusal.OfAsync(MessagingFailure.Unreachable, () => WhileTimePassesAsync(Retry.RunAsync<int>(
            Options,
            _ =>
            {
                tries++;
                throw new MessagingException(MessagingFailure.Unreachable, "never");
            },
            Cancel)));

        Assert.Equal(5, tries);
        Assert.InRange(_clock.GetUtcNow() - Noon, TimeSpan.FromSeconds(8), Options.OperationTimeout);
    }

    [Fact(Timeout = Patience)]
    public async Task A_server_that_does_not_answer_is_given_up_in_time()
    {
        await Refusal.OfAsync(MessagingFailure.Unreachable, () => WhileTimePassesAsync(Retry.RunAsync(Options, NeverAsync, Cancel)));
        await Refusal.OfAsync(MessagingFailure.Unreachable, () => WhileTimePassesAsync(Retry.OnceAsync(Options, NeverAsync, Cancel)));
    }

    [Theory(Timeout = Patience)]
    [InlineData(MessagingFailure.NotLoggedIn)]
    [InlineData(MessagingFailure.UntrustedServer)]
    [InlineData(MessagingFailure.MailboxFull)]
    [InlineData(MessagingFailure.Refused)]
    [InlineData(MessagingFailure.StoreUnusable)]
    public async Task What_another_try_cannot_mend_is_not_tried_again(MessagingFailure failure)
    {
        var tries = 0;

        await Refusal.OfAsync(failure, () => Retry.RunAsync<int>(
            Options,
            _ =>
            {
                tries++;
                throw new MessagingException(failure, "no");
            },
            Cancel));

        Assert.Equal(1, tries);
    }

    [Fact(Timeout = Patience)]
    public async Task A_wait_that_its_caller_gives_up_is_cancelled_and_not_a_failure()
    {
        using var given = new CancellationTokenSource();
        var running = Retry.RunAsync(Options, NeverAsync, given.Token);
        var once = Retry.OnceAsync(Options, NeverAsync, given.Token);

        await given.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => once);
    }

    [Fact]
    public void The_realms_clock_is_ones_own_plus_what_was_seen()
    {
        var clock = new ServerClock(_clock);
        Assert.Equal(Noon, clock.Now);

        clock.Learn(Noon + TimeSpan.FromDays(400));
        _clock.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(Noon + TimeSpan.FromDays(400) + TimeSpan.FromMinutes(5), clock.Now);

        clock.Learn(Noon - TimeSpan.FromDays(400));
        Assert.Equal(Noon - TimeSpan.FromDays(400), clock.Now);
    }

    [Fact]
    public void A_ticket_is_renewed_after_four_fifths_of_its_life()
    {
        using var ticket = TicketOf(Noon, TimeSpan.FromMinutes(10));

        Assert.Equal(Noon + TimeSpan.FromMinutes(8), ticket.RenewAt);
    }

    [Fact]
    public void A_ticket_survives_its_export()
    {
        using var ticket = TicketOf(Noon, TimeSpan.FromMinutes(10));
        using var exported = ticket.Export();

        using var imported = CachedTicket.Import(exported.Span);

        Assert.Equal(ticket.Ticket, imported.Ticket);
        Assert.Equal(ticket.SessionKey.Span.ToArray(), imported.SessionKey.Span.ToArray());
        Assert.Equal(ticket.Times, imported.Times);
        for (var length = 0; length < exported.Length; length++)
        {
            Assert.Throws<ProtocolException>(() => CachedTicket.Import(exported.Span[..length]));
        }
    }

    [Theory(Timeout = Patience)]
    [InlineData(ChannelFailure.ConnectionLost, MessagingFailure.Unreachable)]
    [InlineData(ChannelFailure.HandshakeFailed, MessagingFailure.UntrustedServer)]
    [InlineData(ChannelFailure.UntrustedServer, MessagingFailure.UntrustedServer)]
    public async Task Failures_of_the_channel_are_told_as_what_a_caller_can_act_on(ChannelFailure channel, MessagingFailure expected)
    {
        var e = await Refusal.OfAsync(expected, () => Failures.TranslateAsync<int>(
            "the server at example:1", () => throw new ChannelException(channel, "inner")));

        Assert.Contains("the server at example:1", e.Message, StringComparison.Ordinal);
        Assert.IsType<ChannelException>(e.InnerException);
    }

    [Theory(Timeout = Patience)]
    [InlineData(ProtocolError.SessionEnded, MessagingFailure.NotLoggedIn)]
    [InlineData(ProtocolError.ShuttingDown, MessagingFailure.Unreachable)]
    [InlineData(ProtocolError.Internal, MessagingFailure.Unreachable)]
    [InlineData(ProtocolError.UnsupportedVersion, MessagingFailure.Unreachable)]
    public async Task Errors_that_end_the_connection_are_told_as_what_a_caller_can_act_on(ProtocolError error, MessagingFailure expected) =>
        await Refusal.OfAsync(expected, () => Failures.TranslateAsync<int>("the server", () => throw new ChannelException(error)));

    [Theory(Timeout = Patience)]
    [InlineData(ProtocolError.LoginFailed, MessagingFailure.LoginFailed)]
    [InlineData(ProtocolError.TicketRefused, MessagingFailure.NotLoggedIn)]
    [InlineData(ProtocolError.NotSignedIn, MessagingFailure.NotLoggedIn)]
    [InlineData(ProtocolError.DeviceRefused, MessagingFailure.DeviceRefused)]
    [InlineData(ProtocolError.UnknownClient, MessagingFailure.UnknownRecipient)]
    [InlineData(ProtocolError.QuotaExceeded, MessagingFailure.MailboxFull)]
    [InlineData(ProtocolError.Busy, MessagingFailure.Unreachable)]
    [InlineData(ProtocolError.Internal, MessagingFailure.Unreachable)]
    [InlineData(ProtocolError.MessageIdReused, MessagingFailure.Refused)]
    [InlineData((ProtocolError)60_000, MessagingFailure.Refused)]
    public async Task Refusals_are_told_as_what_a_caller_can_act_on(ProtocolError error, MessagingFailure expected) =>
        await Refusal.OfAsync(expected, () => Failures.TranslateAsync<int>(
            "the server", () => throw new RequestRefusedException(error, TimeSpan.FromSeconds(60))));

    [Fact(Timeout = Patience)]
    public async Task Every_code_of_an_error_frame_becomes_some_failure_in_one_line()
    {
        foreach (var error in Enum.GetValues<ProtocolError>())
        {
            await Refusal.OfAnyKindAsync(() => Failures.TranslateAsync<int>(
                "the server", () => throw new RequestRefusedException(error, TimeSpan.Zero)));
            await Refusal.OfAnyKindAsync(() => Failures.TranslateAsync<int>("the server", () => throw new ChannelException(error)));
        }
    }

    [Fact(Timeout = Patience)]
    public async Task A_fault_of_the_clients_own_is_not_told_as_the_servers() =>
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => Failures.TranslateAsync<int>("the server", () => throw new InvalidOperationException("a bug")));

    [Theory]
    [InlineData("bob", "bob", true)]
    [InlineData("Bob", "bOB", true)]
    [InlineData("Zu\u0308rich", "z\u00FCrich", true)]
    [InlineData("\uFB01ona", "Fiona", true)]
    [InlineData("bob", "bob2", false)]
    [InlineData("bob", "b\u043Eb", false)]
    public void Names_are_compared_as_the_realm_does(string a, string b, bool same) => Assert.Equal(same, ClientNames.AreSame(a, b));

    private static CachedTicket TicketOf(DateTimeOffset start, TimeSpan life) =>
        new([1, 2, 3], SecretBytes.Random(32), new TicketTimes(start, start, start + life, start + (2 * life)));

    private static Task<int> NeverAsync(CancellationToken cancellationToken) =>
        new TaskCompletionSource<int>().Task.WaitAsync(cancellationToken);

    private async Task<T> WhileTimePassesAsync<T>(Task<T> task)
    {
        await Eventually.TrueAsync(
            () =>
            {
                if (!task.IsCompleted)
                {
                    _clock.Advance(TimeSpan.FromMilliseconds(250));
                }

                return task.IsCompleted;
            },
            Cancel);
        return await task;
    }
}
