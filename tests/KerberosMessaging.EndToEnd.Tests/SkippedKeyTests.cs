using System.Security.Cryptography;

namespace KerberosMessaging.EndToEnd.Tests;

/// <summary>How many keys of passed messages are kept and how long, seen in the stored state.</summary>
public sealed class SkippedKeyTests
{
    private static SessionView View(Device device) => StateView.Active(device.State());

    private static bool Holds(Device device, byte[] key) => device.State().AsSpan().IndexOf(key) >= 0;

    /// <summary>Alice sends so many, of which only the last arrives. Gives those that did not.</summary>
    private static byte[][] Skip(Device alice, Device bob, int count)
    {
        byte[][] skipped = [.. Enumerable.Range(0, count).Select(i => alice.Send($"{i}"))];
        bob.MustRead(alice, alice.Send("over them"), "over them");
        return skipped;
    }

    private static void Turn(Device alice, Device bob) => alice.MustRead(bob, bob.Send("turn"), "turn");

    [Fact]
    public void A_thousand_keys_of_one_chain_are_kept_and_the_oldest_are_erased()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            var first = Skip(alice, bob, 900);
            var oldest = View(bob).Receiving!.Skipped[0].MessageKey;
            var newest = View(bob).Receiving!.Skipped[^1].MessageKey;
            var second = Skip(alice, bob, 900);
            var kept = View(bob).Receiving!.Skipped;
            Assert.Equal(1000, kept.Length);
            Assert.False(Holds(bob, oldest));
            Assert.True(Holds(bob, newest));
            Assert.Equal(800u, kept[0].MessageNumber);

            bob.MustRefuse(alice, first[0], DecryptResult.Duplicate);
            bob.MustRefuse(alice, first[799], DecryptResult.Duplicate);
            bob.MustRead(alice, first[800], "800");
            bob.MustRead(alice, second[0], "0");
            bob.MustRead(alice, second[899], "899");
            Assert.Equal(997, View(bob).Receiving!.Skipped.Length);
            bob.Restart();
        }
    }

    [Fact]
    public void Two_thousand_keys_of_a_session_are_kept_and_the_oldest_are_erased()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            Skip(alice, bob, 800);
            Turn(alice, bob);
            var oldest = View(bob).Receiving!.Skipped[0].MessageKey;
            Skip(alice, bob, 800);
            Turn(alice, bob);
            Assert.True(Holds(bob, oldest));
            Assert.Equal(1600, View(bob).SkippedCount);
            Skip(alice, bob, 800);
            Assert.Equal(2000, View(bob).SkippedCount);
            Assert.False(Holds(bob, oldest));
            Assert.Equal([400, 800], View(bob).Past.Select(chain => chain.Skipped.Length));
            Assert.Equal(800, View(bob).Receiving!.Skipped.Length);
            Turn(alice, bob);
            Skip(alice, bob, 1000);
            Assert.Equal([200, 800], View(bob).Past.Select(chain => chain.Skipped.Length));
            Assert.Equal(1000, View(bob).Receiving!.Skipped.Length);
        }
    }

    [Fact]
    public void Thirty_two_chains_that_are_over_are_kept_and_the_oldest_are_erased()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            var skipped = new List<byte[]>();
            for (var chain = 0; chain < 33; chain++)
            {
                skipped.AddRange(Skip(alice, bob, 1));
                Turn(alice, bob);
            }

            Assert.Equal(32, View(bob).Past.Length);
            var oldest = View(bob).Past[0];
            Assert.All(View(bob).Past, chain => Assert.Null(chain.ChainKey));
            skipped.AddRange(Skip(alice, bob, 1));
            Assert.Equal(32, View(bob).Past.Length);
            Assert.False(Holds(bob, oldest.HeaderKey));
            Assert.False(Holds(bob, oldest.Skipped[0].MessageKey));
            bob.Restart();
            bob.MustRefuse(alice, skipped[0], DecryptResult.NoSession);
            Assert.All(skipped.Skip(1), envelope => bob.MustRead(alice, envelope, "0"));
            Assert.Empty(View(bob).Past);
        }
    }

    [Fact]
    public void A_key_is_erased_after_thirty_five_days_and_not_before()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            var past = Skip(alice, bob, 2);
            Turn(alice, bob);
            var current = Skip(alice, bob, 2);
            alice.Clock.Advance(TimeSpan.FromDays(35));
            bob.Send("something");
            Assert.Equal(4, View(bob).SkippedCount);
            bob.MustRead(alice, past[0], "0");
            bob.MustRead(alice, current[0], "0");
            var (pastKey, currentKey) = (View(bob).Past[0].Skipped[0].MessageKey, View(bob).Receiving!.Skipped[0].MessageKey);

            alice.Clock.Advance(TimeSpan.FromSeconds(1));
            bob.Send("something");
            Assert.Equal(0, View(bob).SkippedCount);
            Assert.Empty(View(bob).Past);
            Assert.False(Holds(bob, pastKey));
            Assert.False(Holds(bob, currentKey));
            bob.MustRefuse(alice, past[1], DecryptResult.NoSession);
            bob.MustRefuse(alice, current[1], DecryptResult.Duplicate);
            bob.MustRead(alice, alice.Send("and on"), "and on");
        }
    }

    [Fact]
    public void Keys_of_different_age_are_erased_one_after_the_other()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            var older = Skip(alice, bob, 1);
            alice.Clock.Advance(TimeSpan.FromDays(20));
            var newer = Skip(alice, bob, 1);
            alice.Clock.Advance(TimeSpan.FromDays(20));
            bob.MustRead(alice, alice.Send("later"), "later");
            bob.MustRefuse(alice, older[0], DecryptResult.Duplicate);
            bob.MustRead(alice, newer[0], "0");
        }
    }

    [Fact]
    public void Keys_of_a_session_that_is_not_used_any_more_grow_old_too()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            var skipped = Skip(alice, bob, 1);
            var key = View(bob).Receiving!.Skipped[0].MessageKey;
            alice.Start(bob);
            alice.Clock.Advance(TimeSpan.FromDays(36));
            bob.MustRead(alice, alice.Send("in the new session"), "in the new session");
            Assert.False(Holds(bob, key));
            bob.MustRefuse(alice, skipped[0], DecryptResult.Duplicate);
        }
    }

    [Fact]
    public void A_refused_message_ages_nothing_and_keeps_nothing()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            Skip(alice, bob, 3);
            alice.Clock.Advance(TimeSpan.FromDays(36));
            for (var i = 0; i < 5; i++)
            {
                alice.Send("lost");
            }

            var forged = alice.Send("forged");
            forged[^1] ^= 1;
            bob.MustRefuse(alice, forged, DecryptResult.BadMac);
            bob.MustRefuse(alice, RandomNumberGenerator.GetBytes(148), DecryptResult.Malformed);
            Assert.Equal(3, View(bob).SkippedCount);
        }
    }

    [Fact]
    public void The_keys_of_a_chain_that_is_left_are_made_and_its_chain_key_is_erased()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            bob.MustRead(alice, alice.Send("read"), "read");
            var chainKey = View(bob).Receiving!.ChainKey!;
            var late = alice.Send("late");
            Turn(alice, bob);
            bob.MustRead(alice, alice.Send("next chain"), "next chain");
            var (messageKey, next) = Reference.StepChain(chainKey);
            Assert.False(Holds(bob, chainKey));
            Assert.False(Holds(bob, next));
            Assert.True(Holds(bob, messageKey));
            bob.MustRead(alice, late, "late");
            Assert.False(Holds(bob, messageKey));
        }
    }
}
