namespace KerberosMessaging.EndToEnd.Tests;

public sealed class SecrecyTests
{
    [Fact]
    public void The_state_after_reading_a_message_cannot_read_it_again()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            var envelopes = Enumerable.Range(0, 6).Select(i => alice.Send($"{i}")).ToArray();
            foreach (var n in new[] { 0, 3, 1, 4 })
            {
                bob.MustRead(alice, envelopes[n], $"{n}");
                using var stolen = PeerSessions.Import(bob.State());
                Assert.Equal(DecryptResult.Duplicate, ReadWith(stolen, bob, alice, envelopes[n]));
            }
        }
    }

    [Fact]
    public void The_state_after_reading_a_message_holds_none_of_the_keys_behind_it()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            bob.MustRead(alice, alice.Send("0"), "0");
            var chainKey = StateView.Active(bob.State()).Receiving!.ChainKey!;
            Assert.True(Holds(bob.State(), chainKey));
            var (messageKey, next) = Reference.StepChain(chainKey);

            var skipped = alice.Send("1");
            var (messageKey2, next2) = Reference.StepChain(next);
            bob.MustRead(alice, alice.Send("2"), "2");
            var state = bob.State();
            Assert.False(Holds(state, chainKey));
            Assert.False(Holds(state, next));
            Assert.False(Holds(state, messageKey2));
            Assert.True(Holds(state, next2));
            Assert.True(Holds(state, messageKey));

            bob.MustRead(alice, skipped, "1");
            Assert.False(Holds(bob.State(), messageKey));
        }
    }

    [Fact]
    public void The_senders_state_after_sending_holds_none_of_the_keys_behind_it()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            alice.Send("0");
            var chainKey = StateView.Active(alice.State()).Sending!.ChainKey;
            var (messageKey, next) = Reference.StepChain(chainKey);
            alice.Send("text");
            var state = alice.State();
            Assert.False(Holds(state, chainKey));
            Assert.False(Holds(state, messageKey));
            Assert.True(Holds(state, next));
        }
    }

    [Fact]
    public void A_step_of_the_root_leaves_nothing_of_the_one_before()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            alice.Clock.Advance(TimeSpan.FromDays(8));
            var before = StateView.Active(alice.State());
            var offer = alice.Send("offer");
            var offering = StateView.Active(alice.State());
            Assert.False(Holds(alice.State(), before.RootKey));
            bob.MustRead(alice, offer, "offer");
            alice.MustRead(bob, bob.Send("ciphertext"), "ciphertext");
            foreach (var key in new[]
            {
                offering.RootKey,
                offering.Sending!.RatchetPrivate,
                offering.Sending.ChainKey,
                offering.Sending.HeaderKey,
                offering.Sending.OfferSeed!,
                before.Receiving!.ChainKey!,
                before.Receiving.HeaderKey,
            })
            {
                Assert.True(Holds(before.Bytes, key) || Holds(offering.Bytes, key));
                Assert.False(Holds(alice.State(), key));
            }
        }
    }

    [Fact]
    public void A_stolen_state_is_of_no_use_after_a_full_turn()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            using var stolen = PeerSessions.Import(bob.State());
            bob.MustRead(alice, alice.Send("turn"), "turn");
            alice.MustRead(bob, bob.Send("turn"), "turn");
            Assert.Equal(DecryptResult.NoSession, ReadWith(stolen, bob, alice, alice.Send("healed")));
        }
    }

    [Fact]
    public void Erased_prekeys_and_state_leave_no_way_to_read_an_old_first_message()
    {
        var (alice, bob) = Device.Pair();
        using (alice)
        using (bob)
        {
            var first = alice.Send("first");
            bob.MustRead(alice, first, "first");
            bob.Prekeys.Rotate(bob.Identity, bob.Now);
            bob.Prekeys.Rotate(bob.Identity, bob.Now);
            using var fresh = PeerSessions.Create();
            Assert.Equal(DecryptResult.UnknownPrekey, ReadWith(fresh, bob, alice, first));
        }
    }

    private static DecryptResult ReadWith(PeerSessions sessions, Device reader, Device sender, byte[] envelope) =>
        sessions.Decrypt(reader.Identity, reader.Prekeys, sender.Public, envelope, Device.MessageId, reader.Now, out _);

    private static bool Holds(byte[] state, byte[] key) => state.AsSpan().IndexOf(key) >= 0;
}
