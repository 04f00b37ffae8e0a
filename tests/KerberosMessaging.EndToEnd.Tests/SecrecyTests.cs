using System.Security.Cryptography;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd.Tests;

public sealed class SecrecyTests
{
    [Fact]
    public void Nothing_that_holds_secrets_prints_them()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            using var chainKey = SecretBytes.Random(32);
            using var walk = ChainWalk.Take(1, chainKey);
            using var skipped = new SkippedKey(new byte[32], 0, SecretBytes.Random(32));
            using var skippedKeys = new SkippedKeys();
            using var agreement = new PqxdhAgreement(SecretBytes.Random(32), []);
            using var pair = PrekeyPair.Generate(1, 2);
            using var ratchet = DoubleRatchet.Respond(agreement.SharedKey, pair.SignedPrekey);
            Assert.True(Session.TryInitiate(alice.Identity, [], bob.Public, bob.Prekeys.Bundle, out var session));
            using (session)
            {
                object[] secrets =
                [
                    alice.Identity, alice.Prekeys, alice.Sessions, walk, skipped, skippedKeys, agreement, pair, ratchet, session,
                ];
                Assert.All(secrets, secret => Assert.Equal("[redacted]", secret.ToString()));
            }
        }
    }

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
                Assert.Equal(
                    DecryptResult.Duplicate,
                    stolen.Decrypt(bob.Identity, bob.Prekeys, alice.Public, envelopes[n], out _));
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
            var chainKey = ReceivingChainKey(bob.State());
            Assert.True(Holds(bob.State(), chainKey));
            var (messageKey, next) = Step(chainKey);

            var skipped = alice.Send("1");
            var (messageKey2, next2) = Step(next);
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
            var chainKey = SendingChainKey(alice.State());
            var (messageKey, next) = Step(chainKey);
            alice.Send("text");
            var state = alice.State();
            Assert.False(Holds(state, chainKey));
            Assert.False(Holds(state, messageKey));
            Assert.True(Holds(state, next));
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
            Assert.Equal(
                DecryptResult.BadMac,
                stolen.Decrypt(bob.Identity, bob.Prekeys, alice.Public, alice.Send("healed"), out _));
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
            bob.Prekeys.Rotate(bob.Identity);
            bob.Prekeys.Rotate(bob.Identity);
            using var fresh = PeerSessions.Create();
            Assert.Equal(
                DecryptResult.UnknownPrekey,
                fresh.Decrypt(bob.Identity, bob.Prekeys, alice.Public, first, out _));
        }
    }

    private static bool Holds(byte[] state, byte[] key) => state.AsSpan().IndexOf(key) >= 0;

    private static (byte[] MessageKey, byte[] Next) Step(byte[] chainKey) =>
        (HMACSHA256.HashData(chainKey, new byte[] { 0x01 }), HMACSHA256.HashData(chainKey, new byte[] { 0x02 }));

    // An established session without prekey header: 2 bytes of the record, 301 of the session, then the ratchet.
    private static byte[] SendingChainKey(byte[] state) => state.AsSpan(2 + 301 + 64, 32).ToArray();

    private static byte[] ReceivingChainKey(byte[] state) => state.AsSpan(2 + 301 + 129, 32).ToArray();
}
