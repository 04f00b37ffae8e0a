using System.Buffers.Binary;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd.Tests;

public sealed class OneTimePrekeyTests
{
    // The stored prekeys without a previous pair: up to the newest id, then the keys of both kinds.
    private const int NewestIdOffset = 1466;
    private const int X25519Offset = NewestIdOffset + 4;

    private static (Device Alice, Device Bob) Devices()
    {
        var alice = new Device();
        var bob = new Device(alice.Clock);
        bob.Prekeys.AddOneTime(3, 2);
        return (alice, bob);
    }

    private static bool Holds(byte[] state, byte[] key) => state.AsSpan().IndexOf(key) >= 0;

    private static void Refuses(Device alice, Device bob, OneTimePublicPrekey? oneTime, OneTimePublicPrekey? oneTimeKem)
    {
        var before = alice.State();
        Assert.Throws<EndToEndException>(() => alice.Start(bob, oneTime, oneTimeKem));
        Assert.Equal(before, alice.State());
        Assert.False(alice.Sessions.HasSession);
    }

    [Fact]
    public void One_time_prekeys_have_ids_of_one_series_and_published_forms()
    {
        var (alice, bob) = Devices();
        using (alice)
        using (bob)
        {
            Assert.Equal(0u, alice.Prekeys.NewestOneTimeId);
            Assert.Equal(5u, bob.Prekeys.NewestOneTimeId);
            Assert.Equal([1u, 2u, 3u], bob.Prekeys.X25519Above(0).Select(key => key.Id));
            Assert.Equal([4u, 5u], bob.Prekeys.MlKem768Above(0, bob.Identity).Select(key => key.Id));
            Assert.Equal([3u], bob.Prekeys.X25519Above(2).Select(key => key.Id));
            Assert.Equal([5u], bob.Prekeys.MlKem768Above(4, bob.Identity).Select(key => key.Id));
            Assert.Empty(bob.Prekeys.X25519Above(3));
            Assert.All(bob.Prekeys.X25519Above(0), key => Assert.Equal(OneTimePublicPrekey.X25519Size, key.Key.Length));
            Assert.All(
                bob.Prekeys.MlKem768Above(0, bob.Identity),
                key => Assert.Equal(OneTimePublicPrekey.MlKem768Size, key.Key.Length));
            Assert.Equal((32, 1248), (OneTimePublicPrekey.X25519Size, OneTimePublicPrekey.MlKem768Size));

            bob.Restart();
            Assert.Equal(5u, bob.Prekeys.NewestOneTimeId);
            bob.Prekeys.AddOneTime(1, 1);
            Assert.Equal([1u, 2u, 3u, 6u], bob.Prekeys.X25519Above(0).Select(key => key.Id));
            Assert.Equal([4u, 5u, 7u], bob.Prekeys.MlKem768Above(0, bob.Identity).Select(key => key.Id));
        }
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void One_time_prekeys_start_one_session_and_are_erased(bool withX25519, bool withMlKem768)
    {
        var (alice, bob) = Devices();
        using (alice)
        using (bob)
        {
            var oneTime = withX25519 ? bob.Prekeys.X25519Above(0)[1] : null;
            var oneTimeKem = withMlKem768 ? bob.Prekeys.MlKem768Above(0, bob.Identity)[0] : null;
            var state = bob.PrekeyState();
            var x25519Secret = state.AsSpan(X25519Offset + 2 + 36 + 4, 32).ToArray();
            var kemSeed = state.AsSpan(X25519Offset + 2 + (3 * 36) + 2 + 4, 64).ToArray();
            Assert.Equal(bob.Prekeys.X25519Above(0)[1].Key.ToArray(), Reference.X25519Public(x25519Secret));
            Assert.Equal(bob.Prekeys.MlKem768Above(0, bob.Identity)[0].Key[..1184].ToArray(), Reference.MlKemPublic(kemSeed));

            alice.Start(bob, oneTime, oneTimeKem);
            var first = alice.Send("first");
            var second = alice.Send("second");
            Assert.Equal(oneTime?.Id ?? 0, ReferenceEnvelope.Of(first).OneTimePrekeyId);
            Assert.Equal(withMlKem768 ? 2 : 1, ReferenceEnvelope.Of(first).KemPrekeyKind);
            using var mallory = new Device(alice.Clock);
            mallory.Start(bob, oneTime, oneTimeKem);

            Assert.False(bob.Prekeys.IsChanged);
            bob.MustRead(alice, first, "first");
            Assert.True(bob.Prekeys.IsChanged);
            Assert.Equal(!withX25519, Holds(bob.PrekeyState(), x25519Secret));
            Assert.Equal(!withMlKem768, Holds(bob.PrekeyState(), kemSeed));
            Assert.Equal(withX25519 ? [1u, 3u] : [1u, 2u, 3u], bob.Prekeys.X25519Above(0).Select(key => key.Id));
            Assert.Equal(withMlKem768 ? [5u] : [4u, 5u], bob.Prekeys.MlKem768Above(0, bob.Identity).Select(key => key.Id));
            Assert.Equal(5u, bob.Prekeys.NewestOneTimeId);

            // The same keys start no other session, from whomever.
            bob.Restart();
            Assert.False(bob.Prekeys.IsChanged);
            MustNotStart(bob, mallory);
            alice.Start(bob, oneTime, oneTimeKem);
            bob.MustRefuse(alice, alice.Send("again"), DecryptResult.UnknownPrekey);

            // The session that they started is as good as any.
            bob.MustRead(alice, second, "second");
        }
    }

    [Fact]
    public void A_first_message_that_is_refused_leaves_the_one_time_prekeys_alone()
    {
        var (alice, bob) = Devices();
        using (alice)
        using (bob)
        {
            alice.StartWithOneTime(bob);
            var first = alice.Send("first");
            first[^1] ^= 1;
            bob.MustRefuse(alice, first, DecryptResult.BadMac);
            Assert.False(bob.Prekeys.IsChanged);
            first[^1] ^= 1;
            bob.MustRead(alice, first, "first");
        }
    }

    [Fact]
    public void A_session_without_one_time_prekeys_does_not_change_them()
    {
        var (alice, bob) = Devices();
        using (alice)
        using (bob)
        {
            var before = bob.PrekeyState();
            alice.Start(bob);
            bob.MustRead(alice, alice.Send("first"), "first");
            Assert.Equal(before, bob.PrekeyState());
            Assert.False(bob.Prekeys.IsChanged);
        }
    }

    [Fact]
    public void Without_prekeys_no_session_starts_and_the_others_go_on()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            var inOldSession = alice.Send("in the old session");
            alice.Start(bob);
            var result = bob.Sessions.Decrypt(
                bob.Identity, prekeys: null, alice.Public, alice.Send("new"), Device.MessageId, bob.Now, out var plaintext);
            Assert.Equal(DecryptResult.UnknownPrekey, result);
            Assert.Empty(plaintext);
            result = bob.Sessions.Decrypt(
                bob.Identity, prekeys: null, alice.Public, inOldSession, Device.MessageId, bob.Now, out plaintext);
            Assert.Equal(DecryptResult.Ok, result);
            Assert.Equal("in the old session"u8.ToArray(), plaintext);
        }
    }

    [Fact]
    public void The_kind_and_the_ids_in_a_first_message_cannot_be_exchanged()
    {
        var (alice, bob) = Devices();
        using (alice)
        using (bob)
        {
            alice.Start(bob, bob.Prekeys.X25519Above(0)[0], bob.Prekeys.MlKem768Above(0, bob.Identity)[0]);
            foreach (var (at, id, expected) in new[]
            {
                (70, 2u, DecryptResult.BadMac),
                (70, 0u, DecryptResult.BadMac),
                (70, 4u, DecryptResult.UnknownPrekey),
                (70, 9u, DecryptResult.UnknownPrekey),
                (75, 5u, DecryptResult.BadMac),
                (75, 1u, DecryptResult.UnknownPrekey),
                (75, 0u, DecryptResult.UnknownPrekey),
            })
            {
                var envelope = alice.Send("first");
                BinaryPrimitives.WriteUInt32BigEndian(envelope.AsSpan(at), id);
                bob.MustRefuse(alice, envelope, expected);
            }

            var lastResort = alice.Send("first");
            lastResort[74] = 1;
            BinaryPrimitives.WriteUInt32BigEndian(lastResort.AsSpan(75), bob.Prekeys.Bundle.KemPrekeyId);
            bob.MustRefuse(alice, lastResort, DecryptResult.BadMac);
            foreach (var kind in new byte[] { 0, 3, 255 })
            {
                var envelope = alice.Send("first");
                envelope[74] = kind;
                bob.MustRefuse(alice, envelope, DecryptResult.Malformed);
            }

            bob.MustRead(alice, alice.Send("first"), "first");
        }
    }

    [Fact]
    public void A_one_time_kem_prekey_with_any_byte_changed_starts_no_session()
    {
        var (alice, bob) = Devices();
        using (alice)
        using (bob)
        {
            var good = bob.Prekeys.MlKem768Above(0, bob.Identity)[0];
            for (var i = 0; i < good.Key.Length; i++)
            {
                var bytes = good.Key.ToArray();
                bytes[i] ^= 0x10;
                Refuses(alice, bob, null, new OneTimePublicPrekey(good.Id, bytes));
            }
        }
    }

    [Fact]
    public void A_one_time_kem_prekey_that_is_not_signed_as_one_starts_no_session()
    {
        var (alice, bob) = Devices();
        using (alice)
        using (bob)
        {
            var keys = bob.Prekeys.MlKem768Above(0, bob.Identity);
            var (good, other) = (keys[0], keys[1]);
            var key = good.Key[..1184].ToArray();
            Refuses(alice, bob, null, good with { Id = other.Id });
            Refuses(alice, bob, null, good with { Id = 0 });
            Refuses(alice, bob, null, new OneTimePublicPrekey(0, Signed(bob, Labels.OneTimeKemPrekey, 0, key)));
            Refuses(alice, bob, null, new OneTimePublicPrekey(good.Id, Signed(bob, Labels.KemPrekey, good.Id, key)));
            Refuses(alice, bob, null, new OneTimePublicPrekey(good.Id, Signed(bob, Labels.SignedPrekey, good.Id, key)));
            Refuses(alice, bob, null, new OneTimePublicPrekey(good.Id, Signed(alice, Labels.OneTimeKemPrekey, good.Id, key)));
            Refuses(alice, bob, null, good with { Key = (byte[])[.. key, .. other.Key[1184..].Span] });
            Refuses(alice, bob, null, good with { Key = key });
            Refuses(alice, bob, null, good with { Key = Array.Empty<byte>() });
            Refuses(alice, bob, null, good with { Key = (byte[])[.. good.Key.Span, 0] });

            // The last-resort key is no one-time key, and the other way round.
            var bundle = bob.Prekeys.Bundle;
            Refuses(alice, bob, null, new OneTimePublicPrekey(
                bundle.KemPrekeyId, (byte[])[.. bundle.KemPrekey.Span, .. bundle.KemPrekeySignature.Span]));
            var posing = new PrekeyBundle(
                bundle.SignedPrekeyId, bundle.SignedPrekey.Span, bundle.SignedPrekeySignature.Span, good.Id, key, good.Key[1184..].Span);
            Assert.False(posing.IsSignedBy(bob.Public));

            alice.Start(bob, null, good);
            bob.MustRead(alice, alice.Send("first"), "first");
        }
    }

    [Fact]
    public void A_signed_but_unusable_one_time_kem_prekey_starts_no_session()
    {
        var (alice, bob) = Devices();
        using (alice)
        using (bob)
        {
            var bad = new OneTimePublicPrekey(9, Signed(bob, Labels.OneTimeKemPrekey, 9, Forgery.UnusableKemKey()));
            Assert.True(bad.IsKemKeySignedBy(bob.Public));
            Refuses(alice, bob, null, bad);
        }
    }

    [Theory]
    [MemberData(nameof(Forgery.LowOrderKeys), MemberType = typeof(Forgery))]
    public void A_one_time_prekey_of_low_order_starts_no_session(string key)
    {
        var (alice, bob) = Devices();
        using (alice)
        using (bob)
        {
            Refuses(alice, bob, new OneTimePublicPrekey(1, Convert.FromHexString(key)), null);
        }
    }

    [Fact]
    public void A_one_time_prekey_without_an_id_or_of_another_length_starts_no_session()
    {
        var (alice, bob) = Devices();
        using (alice)
        using (bob)
        {
            var good = bob.Prekeys.X25519Above(0)[0];
            Refuses(alice, bob, good with { Id = 0 }, null);
            Refuses(alice, bob, good with { Key = Array.Empty<byte>() }, null);
            Refuses(alice, bob, good with { Key = good.Key[..31] }, null);
            Refuses(alice, bob, good with { Key = (byte[])[.. good.Key.Span, 0] }, null);
        }
    }

    [Fact]
    public void An_exchanged_one_time_prekey_makes_a_first_message_that_nobody_reads()
    {
        var (alice, bob) = Devices();
        using (alice)
        using (bob)
        {
            // X25519 one-time prekeys are not signed: a server can exchange them, and gains nothing.
            using var own = X25519PrivateKey.Generate();
            alice.Start(bob, new OneTimePublicPrekey(1, own.PublicKey), null);
            bob.MustRefuse(alice, alice.Send("first"), DecryptResult.BadMac);
            var keys = bob.Prekeys.X25519Above(0);
            alice.Start(bob, keys[0] with { Id = keys[1].Id }, null);
            bob.MustRefuse(alice, alice.Send("first"), DecryptResult.BadMac);
        }
    }

    [Fact]
    public void Five_hundred_of_a_kind_are_kept_and_the_oldest_are_erased()
    {
        using var bob = new Device();
        bob.Prekeys.AddOneTime(500, 500);
        var oldest = bob.PrekeyState().AsSpan(X25519Offset + 2 + 4, 32).ToArray();
        Assert.Equal(Enumerable.Range(1, 500).Select(id => (uint)id), bob.Prekeys.X25519Above(0).Select(key => key.Id));
        bob.Prekeys.AddOneTime(2, 0);
        Assert.False(Holds(bob.PrekeyState(), oldest));
        Assert.Equal([3u, 4u], bob.Prekeys.X25519Above(0).Take(2).Select(key => key.Id));
        Assert.Equal([1001u, 1002u], bob.Prekeys.X25519Above(500).Select(key => key.Id));
        Assert.Equal(500, bob.Prekeys.X25519Above(0).Count);
        bob.Prekeys.AddOneTime(0, 1);
        Assert.Equal([502u], bob.Prekeys.MlKem768Above(501, bob.Identity).Take(1).Select(key => key.Id));
        Assert.Equal(500, bob.Prekeys.MlKem768Above(0, bob.Identity).Count);
        bob.Restart();
    }

    [Fact]
    public void More_than_five_hundred_are_refused_in_stored_prekeys()
    {
        using var bob = new Device();
        var state = bob.PrekeyState();
        byte[] Stored(ushort count) =>
        [
            .. state[..X25519Offset], (byte)(count >> 8), (byte)count, .. new byte[36 * count], 0, 0,
        ];
        DevicePrekeys.Import(Stored(500)).Dispose();
        Assert.Throws<EndToEndException>(() => DevicePrekeys.Import(Stored(501)));
    }

    [Fact]
    public void A_restart_erases_all_one_time_prekeys_and_goes_on_above_the_highest_id_known()
    {
        var (alice, bob) = Devices();
        using (alice)
        using (bob)
        {
            alice.StartWithOneTime(bob);
            var secret = bob.PrekeyState().AsSpan(X25519Offset + 2 + 4, 32).ToArray();
            bob.Prekeys.RestartOneTime(40);
            Assert.False(Holds(bob.PrekeyState(), secret));
            Assert.Empty(bob.Prekeys.X25519Above(0));
            Assert.Empty(bob.Prekeys.MlKem768Above(0, bob.Identity));
            Assert.Equal(40u, bob.Prekeys.NewestOneTimeId);
            bob.Prekeys.AddOneTime(1, 1);
            Assert.Equal(41u, Assert.Single(bob.Prekeys.X25519Above(0)).Id);
            bob.MustRefuse(alice, alice.Send("to an erased key"), DecryptResult.UnknownPrekey);

            // A server that has lost ids does not bring used ones back.
            bob.Prekeys.RestartOneTime(7);
            Assert.Equal(42u, bob.Prekeys.NewestOneTimeId);
        }
    }

    [Fact]
    public void Ids_never_start_again()
    {
        var (alice, bob) = Devices();
        using (alice)
        using (bob)
        {
            bob.Prekeys.RestartOneTime(uint.MaxValue - 1);
            bob.Prekeys.AddOneTime(1, 0);
            var before = bob.PrekeyState();
            Assert.Throws<EndToEndException>(() => bob.Prekeys.AddOneTime(1, 0));
            Assert.Throws<EndToEndException>(() => bob.Prekeys.AddOneTime(0, 1));
            Assert.Equal(before, bob.PrekeyState());
            alice.Start(bob, Assert.Single(bob.Prekeys.X25519Above(0)));
            bob.MustRead(alice, alice.Send("the last of them"), "the last of them");
        }
    }

    private static void MustNotStart(Device bob, Device mallory)
    {
        using var sessions = PeerSessions.Create();
        var before = bob.PrekeyState();
        var result = sessions.Decrypt(
            bob.Identity, bob.Prekeys, mallory.Public, mallory.Send("me, too"), Device.MessageId, bob.Now, out _);
        Assert.Equal(DecryptResult.UnknownPrekey, result);
        Assert.False(sessions.HasSession);
        Assert.Equal(before, bob.PrekeyState());
    }

    private static byte[] Signed(Device signer, ReadOnlySpan<byte> label, uint id, byte[] key) =>
        [.. key, .. PrekeySignature.Create(signer.Identity, label, id, key)];
}
