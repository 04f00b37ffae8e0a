namespace KerberosMessaging.EndToEnd.Tests;

public sealed class SessionTests
{
    private static byte[] BaseKeyOfActive(Device device) => StateView.Active(device.State()).BaseKey;

    [Fact]
    public void Sessions_started_at_the_same_time_converge()
    {
        using var alice = new Device();
        using var bob = new Device();
        alice.Start(bob);
        bob.Start(alice);
        var fromAlice = alice.Send("from Alice");
        var fromBob = bob.Send("from Bob");
        alice.MustRead(bob, fromBob, "from Bob");
        bob.MustRead(alice, fromAlice, "from Alice");

        // The messages crossed, so each side now sends in the session that the other one started.
        var second = alice.Send("second");
        bob.MustRead(alice, second, "second");
        for (var turn = 0; turn < 4; turn++)
        {
            alice.MustRead(bob, bob.Send("b"), "b");
            bob.MustRead(alice, alice.Send("a"), "a");
        }

        // One session carries both directions: it alone, without the others, reads and writes on.
        var one = OnlyFirstSession(alice);
        var other = OnlyFirstSession(bob);
        alice.Restore(one);
        bob.Restore(other);
        alice.MustRead(bob, bob.Send("converged"), "converged");
        bob.MustRead(alice, alice.Send("converged"), "converged");
    }

    [Fact]
    public void A_new_session_replaces_a_lost_one()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            bob.Restore(EmptyState());
            var unreadable = alice.Send("unreadable");
            bob.MustRefuse(alice, unreadable, DecryptResult.NoSession);
            bob.Start(alice);
            alice.MustRead(bob, bob.Send("who are you?"), "who are you?");
            bob.MustRead(alice, alice.Send("Alice"), "Alice");
            alice.MustRead(bob, bob.Send("good"), "good");
        }
    }

    [Fact]
    public void Late_messages_of_an_older_session_are_read()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            var late = alice.Send("late");
            alice.Start(bob);
            bob.MustRead(alice, alice.Send("in the new session"), "in the new session");
            bob.MustRead(alice, late, "late");
        }
    }

    [Fact]
    public void The_session_last_read_in_is_the_one_that_sends()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            var older = alice.Send("older");
            alice.Start(bob);
            bob.MustRead(alice, alice.Send("newer"), "newer");
            var newer = BaseKeyOfActive(bob);
            Assert.Equal(BaseKeyOfActive(alice), newer);
            bob.MustRead(alice, older, "older");
            Assert.NotEqual(newer, BaseKeyOfActive(bob));
            bob.MustRead(alice, alice.Send("newer again"), "newer again");
            Assert.Equal(newer, BaseKeyOfActive(bob));
            alice.MustRead(bob, bob.Send("answer"), "answer");
        }
    }

    [Fact]
    public void Five_sessions_are_kept_and_the_one_unused_for_longest_goes()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            var inFirst = new[] { alice.Send("first session a"), alice.Send("first session b") };
            for (var i = 0; i < 4; i++)
            {
                alice.Start(bob);
                bob.MustRead(alice, alice.Send("next"), "next");
            }

            bob.MustRead(alice, inFirst[0], "first session a");

            // Reading in it made the first session the last to go: four more push out all the others.
            for (var i = 0; i < 4; i++)
            {
                alice.Start(bob);
                bob.MustRead(alice, alice.Send("next"), "next");
            }

            bob.MustRead(alice, inFirst[1], "first session b");
        }
    }

    [Fact]
    public void A_dropped_session_reads_nothing_and_cannot_be_started_again_by_a_replay()
    {
        var (alice, bob) = Device.Pair();
        using (alice)
        using (bob)
        {
            var first = alice.Send("first");
            bob.MustRead(alice, first, "first");
            for (var i = 0; i < PeerSessions.MaxSessions; i++)
            {
                alice.Start(bob);
                bob.MustRead(alice, alice.Send("next"), "next");
            }

            bob.MustRefuse(alice, first, DecryptResult.NoSession);
            bob.Restart();
            bob.MustRefuse(alice, first, DecryptResult.NoSession);

            // Once the prekeys are gone, they are what stops the replay, and the memory of the session is let go.
            bob.Prekeys.Rotate(bob.Identity, bob.Now);
            bob.Prekeys.Rotate(bob.Identity, bob.Now);
            Assert.Equal(1, StateView.Of(bob.State()).Retired);
            alice.Start(bob);
            bob.MustRead(alice, alice.Send("after the rotation"), "after the rotation");
            
            // The session that was pushed out now started with prekeys that are gone, too.
            Assert.Equal(0, StateView.Of(bob.State()).Retired);
            bob.MustRefuse(alice, first, DecryptResult.UnknownPrekey);
        }
    }

    [Fact]
    public void Prekey_envelopes_of_one_session_make_one_session()
    {
        var (alice, bob) = Device.Pair();
        using (alice)
        using (bob)
        {
            var envelopes = Enumerable.Range(0, 3).Select(i => alice.Send($"{i}")).ToArray();
            bob.MustRead(alice, envelopes[2], "2");
            bob.MustRead(alice, envelopes[0], "0");
            bob.MustRead(alice, envelopes[1], "1");
            Assert.Single(StateView.Of(bob.State()).Sessions);
        }
    }

    private static byte[] EmptyState()
    {
        using var empty = PeerSessions.Create();
        using var exported = empty.Export();
        return exported.Span.ToArray();
    }

    /// <summary>The state without any session but the active one.</summary>
    private static byte[] OnlyFirstSession(Device device)
    {
        var state = device.State();
        Assert.True(state[1] > 1);
        return [2, 1, .. StateView.Active(state).Bytes, 0, 0];
    }
}
