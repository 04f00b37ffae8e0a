namespace KerberosMessaging.EndToEnd.Tests;

public sealed class OrderTests
{
    [Fact]
    public void Messages_out_of_order_are_read()
    {
        var (alice, bob) = Device.Pair();
        using (alice)
        using (bob)
        {
            var envelopes = Enumerable.Range(0, 5).Select(i => alice.Send($"{i}")).ToArray();
            foreach (var i in new[] { 3, 0, 4, 2, 1 })
            {
                bob.MustRead(alice, envelopes[i], $"{i}");
            }
        }
    }

    [Fact]
    public void Late_messages_of_earlier_chains_are_read()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            var late = new List<byte[]>();
            for (var turn = 0; turn < 10; turn++)
            {
                late.Add(alice.Send($"late {turn}"));
                bob.MustRead(alice, alice.Send("in time"), "in time");
                late.Add(alice.Send($"last of chain {turn}"));
                alice.MustRead(bob, bob.Send("turn"), "turn");
            }

            bob.MustRead(alice, alice.Send("finish"), "finish");
            for (var turn = 0; turn < 10; turn++)
            {
                bob.MustRead(alice, late[(2 * turn) + 1], $"last of chain {turn}");
                bob.MustRead(alice, late[2 * turn], $"late {turn}");
            }
        }
    }

    [Fact]
    public void Dropped_messages_hold_nothing_up()
    {
        var (alice, bob) = Device.Pair();
        using (alice)
        using (bob)
        {
            for (var i = 0; i < 10; i++)
            {
                alice.Send("dropped");
                bob.MustRead(alice, alice.Send($"{i}"), $"{i}");
                bob.Send("dropped");
                alice.MustRead(bob, bob.Send($"{i}"), $"{i}");
            }
        }
    }

    [Fact]
    public void A_duplicate_is_named_so_as_long_as_its_chain_is_known()
    {
        var (alice, bob) = Device.Pair();
        using (alice)
        using (bob)
        {
            var skippedFirst = alice.Send("zero");
            var first = alice.Send("one");
            var late = alice.Send("two");
            bob.MustRead(alice, first, "one");
            bob.MustRefuse(alice, first, DecryptResult.Duplicate);
            bob.MustRead(alice, skippedFirst, "zero");
            bob.MustRefuse(alice, skippedFirst, DecryptResult.Duplicate);

            var answer = bob.Send("answer");
            alice.MustRead(bob, answer, "answer");
            var second = alice.Send("three");
            bob.MustRead(alice, second, "three");
            alice.MustRefuse(bob, answer, DecryptResult.Duplicate);
            bob.MustRefuse(alice, second, DecryptResult.Duplicate);

            // The chain before is known as long as a message of it may still come.
            bob.MustRefuse(alice, first, DecryptResult.Duplicate);
            bob.MustRefuse(alice, skippedFirst, DecryptResult.Duplicate);
            bob.MustRead(alice, late, "two");
        }
    }

    [Fact]
    public void A_repeated_message_of_a_chain_that_is_over_belongs_to_no_session()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            var late = alice.Send("late");
            var first = alice.Send("first");
            bob.MustRead(alice, first, "first");
            alice.MustRead(bob, bob.Send("turn"), "turn");
            bob.MustRead(alice, alice.Send("next chain"), "next chain");
            bob.MustRefuse(alice, first, DecryptResult.Duplicate);
            bob.MustRead(alice, late, "late");
            bob.MustRefuse(alice, first, DecryptResult.NoSession);
            bob.MustRefuse(alice, late, DecryptResult.NoSession);
            bob.Restart();
            bob.MustRefuse(alice, first, DecryptResult.NoSession);
            bob.MustRead(alice, alice.Send("and on"), "and on");
        }
    }

    [Fact]
    public void A_thousand_messages_may_be_skipped_in_the_first_chain_but_no_more()
    {
        var (alice, bob) = Device.Pair();
        using (alice)
        using (bob)
        {
            var envelopes = Enumerable.Range(0, 1002).Select(i => alice.Send($"{i}")).ToArray();
            bob.MustRefuse(alice, envelopes[1001], DecryptResult.TooManySkipped);
            bob.MustRead(alice, envelopes[1000], "1000");
            bob.MustRead(alice, envelopes[1001], "1001");
            bob.MustRead(alice, envelopes[0], "0");
            bob.MustRead(alice, envelopes[999], "999");
        }
    }

    [Fact]
    public void A_thousand_messages_may_be_skipped_in_a_running_chain_but_no_more()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            bob.MustRead(alice, alice.Send("0"), "0");
            var envelopes = Enumerable.Range(1, 1002).Select(i => alice.Send($"{i}")).ToArray();
            bob.MustRefuse(alice, envelopes[1001], DecryptResult.TooManySkipped);
            bob.MustRead(alice, envelopes[1000], "1001");
        }
    }

    [Fact]
    public void Losses_again_and_again_in_one_chain_do_not_block_it()
    {
        var (alice, bob) = Device.Pair();
        using (alice)
        using (bob)
        {
            for (var jump = 0; jump < 4; jump++)
            {
                for (var i = 0; i < 1000; i++)
                {
                    alice.Send("lost for good");
                }

                bob.MustRead(alice, alice.Send("arrives"), "arrives");
            }
        }
    }

    [Fact]
    public void Skipping_too_much_of_the_previous_chain_is_refused()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            bob.MustRead(alice, alice.Send("0"), "0");
            var lost = Enumerable.Range(1, 1001).Select(i => alice.Send($"{i}")).ToArray();
            alice.MustRead(bob, bob.Send("turn"), "turn");
            var next = alice.Send("new chain");
            bob.MustRefuse(alice, next, DecryptResult.TooManySkipped);

            // One of the missing messages is enough to go on.
            bob.MustRead(alice, lost[0], "1");
            bob.MustRead(alice, next, "new chain");
            bob.MustRead(alice, lost[1000], "1001");
        }
    }

    [Fact]
    public void The_oldest_of_more_than_two_thousand_skipped_keys_are_given_up()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            var skipped = new List<byte[]>();
            for (var jump = 0; jump < 3; jump++)
            {
                skipped.AddRange(Enumerable.Range(0, 700).Select(i => alice.Send($"{jump}/{i}")));
                bob.MustRead(alice, alice.Send("jump"), "jump");
                alice.MustRead(bob, bob.Send("turn"), "turn");
            }

            Assert.Equal(2100, skipped.Count);
            bob.MustRefuse(alice, skipped[0], DecryptResult.Duplicate);
            bob.MustRefuse(alice, skipped[99], DecryptResult.Duplicate);
            bob.MustRead(alice, skipped[100], "0/100");
            bob.MustRead(alice, skipped[2099], "2/699");
            bob.Restart();
            bob.MustRead(alice, skipped[700], "1/0");
        }
    }
}
