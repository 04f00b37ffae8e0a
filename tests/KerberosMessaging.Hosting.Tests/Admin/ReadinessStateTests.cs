using KerberosMessaging.Hosting.Admin;

namespace KerberosMessaging.Hosting.Tests.Admin;

public sealed class ReadinessStateTests
{
    [Fact]
    public void It_starts_as_not_ready()
    {
        var state = new ReadinessState();

        Assert.False(state.IsReady);
        Assert.Equal("The server is starting.", state.Reason);
    }

    [Fact]
    public void It_follows_what_it_is_told()
    {
        var state = new ReadinessState();

        state.SetReady();
        Assert.True(state.IsReady);
        Assert.Null(state.Reason);

        state.SetNotReady("Enrolment is pending.");
        Assert.False(state.IsReady);
        Assert.Equal("Enrolment is pending.", state.Reason);
    }

    [Fact]
    public void Nothing_makes_a_draining_server_ready_again()
    {
        var state = new ReadinessState();

        state.SetDraining();
        state.SetReady();
        state.SetNotReady("Enrolment is pending.");

        Assert.False(state.IsReady);
        Assert.Equal("The server is shutting down.", state.Reason);
    }

    [Fact]
    public void After_a_drain_that_was_undone_what_was_said_last_counts_again()
    {
        var state = new ReadinessState();

        state.SetDraining();
        state.SetNotReady("Enrolment is pending.");
        state.EndDrain();
        Assert.Equal("Enrolment is pending.", state.Reason);

        state.SetDraining();
        state.SetReady();
        state.EndDrain();
        Assert.True(state.IsReady);
    }
}
