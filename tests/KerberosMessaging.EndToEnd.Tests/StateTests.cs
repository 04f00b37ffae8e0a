using CsCheck;

namespace KerberosMessaging.EndToEnd.Tests;

public sealed class StateTests
{
    private static byte[] Copy(Cryptography.SecretBytes secret)
    {
        using (secret)
        {
            return secret.Span.ToArray();
        }
    }

    private static byte[] RichState()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            alice.Send("skipped");
            bob.MustRead(alice, alice.Send("read"), "read");
            alice.MustRead(bob, bob.Send("turn"), "turn");
            alice.Clock.Advance(TimeSpan.FromDays(3));
            bob.MustRead(alice, alice.Send("turn with an offer"), "turn with an offer");
            bob.Start(alice);
            for (var i = 0; i < PeerSessions.MaxSessions; i++)
            {
                alice.Start(bob);
                bob.MustRead(alice, alice.Send("next"), "next");
            }

            bob.Start(alice);
            return bob.State();
        }
    }

    [Fact]
    public void An_identity_survives_its_export()
    {
        using var identity = DeviceIdentity.Generate();
        using var imported = DeviceIdentity.Import(Copy(identity.Export()));
        Assert.Equal(identity.Public, imported.Public);
        Assert.Equal(identity.Sign("text"u8), imported.Sign("text"u8));
        Assert.True(Cryptography.Ed25519.Verify(identity.Public.SigningKey.Span, "text"u8, imported.Sign("text"u8)));
        Assert.Equal(Copy(identity.Export()), Copy(imported.Export()));
    }

    [Fact]
    public void A_public_identity_survives_its_encoding()
    {
        using var identity = DeviceIdentity.Generate();
        var bytes = identity.Public.ToBytes();
        Assert.Equal(PublicDeviceIdentity.Size, bytes.Length);
        Assert.True(PublicDeviceIdentity.TryRead(bytes, out var read));
        Assert.Equal(identity.Public, read);
        Assert.Equal(identity.Public.GetHashCode(), read.GetHashCode());
        Assert.Equal(bytes[..32], read.SigningKey.ToArray());
        Assert.Equal(bytes[32..], read.AgreementKey.ToArray());
        Assert.False(PublicDeviceIdentity.TryRead(bytes.AsSpan(1), out _));
        Assert.False(PublicDeviceIdentity.TryRead([.. bytes, 0], out _));
        Assert.False(identity.Public.Equals(null));
        Assert.Throws<ArgumentException>(() => new PublicDeviceIdentity(new byte[31], new byte[32]));
        Assert.Throws<ArgumentException>(() => new PublicDeviceIdentity(new byte[32], new byte[33]));
    }

    [Fact]
    public void Stored_state_that_is_cut_off_or_too_long_or_of_another_version_is_refused()
    {
        using var device = new Device();
        device.Prekeys.Rotate(device.Identity, device.Now);
        device.Prekeys.AddOneTime(2, 2);
        RefusesEverythingElse(Copy(device.Identity.Export()), bytes => DeviceIdentity.Import(bytes).Dispose());
        RefusesEverythingElse(Copy(device.Prekeys.Export()), bytes => DevicePrekeys.Import(bytes).Dispose());
        RefusesEverythingElse(RichState(), bytes => PeerSessions.Import(bytes).Dispose());
    }

    [Fact]
    public void A_rich_state_survives_its_export()
    {
        var state = RichState();
        using var imported = PeerSessions.Import(state);
        Assert.Equal(state, Copy(imported.Export()));
    }

    [Fact]
    public void More_sessions_than_are_kept_are_refused()
    {
        var state = RichState();
        Assert.Equal(5, state[1]);
        state[1] = 6;
        Assert.Throws<EndToEndException>(() => PeerSessions.Import(state));
    }

    [Fact]
    public void State_with_any_byte_changed_is_refused_or_means_itself_and_nothing_breaks_on_it()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            // A session with all that there can be: chains left, passed keys, an offer of the peer.
            alice.Send("skipped");
            bob.MustRead(alice, alice.Send("read"), "read");
            alice.MustRead(bob, bob.Send("turn"), "turn");
            alice.Clock.Advance(TimeSpan.FromDays(3));
            alice.Send("skipped");
            var offer = alice.Send("offer");
            bob.MustRead(alice, offer, "offer");
            var withPeerOffer = bob.State();
            Assert.NotNull(StateView.Active(withPeerOffer).PeerOffer);
            Assert.Single(StateView.Active(withPeerOffer).Past);
            BreaksNothing(bob, alice, withPeerOffer, alice.Send("next"));

            // And one with an own offer, and its answer.
            var withOwnOffer = alice.State();
            Assert.NotNull(StateView.Active(withOwnOffer).Sending!.OfferSeed);
            BreaksNothing(alice, bob, withOwnOffer, bob.Send("answer"));
        }
    }

    [Fact]
    public void Stored_prekeys_and_identities_with_any_byte_changed_break_nothing()
    {
        var (alice, bob) = Device.Pair();
        using (alice)
        using (bob)
        {
            bob.Prekeys.AddOneTime(1, 1);
            bob.Prekeys.Rotate(bob.Identity, bob.Now);
            bob.Prekeys.Rotate(bob.Identity, bob.Now);
            alice.StartWithOneTime(bob);
            var first = alice.Send("first");
            var prekeys = bob.PrekeyState();
            ForEveryChange(prekeys, changed =>
            {
                using var imported = DevicePrekeys.Import(changed);
                Assert.Equal(changed, Copy(imported.Export()));
                using var sessions = PeerSessions.Create();
                sessions.Decrypt(bob.Identity, imported, alice.Public, first, Device.MessageId, bob.Now, out _);
                imported.MlKem768Above(0, bob.Identity);
                imported.X25519Above(0);
            });
            ForEveryChange(Copy(bob.Identity.Export()), changed =>
            {
                using var imported = DeviceIdentity.Import(changed);
                using var sessions = PeerSessions.Create();
                using var whole = DevicePrekeys.Import(prekeys);
                var result = sessions.Decrypt(imported, whole, alice.Public, first, Device.MessageId, bob.Now, out _);

                // Four bits of an X25519 private key are always the same (RFC 7748, section 5), and the signing seed is not used here.
                Assert.Contains(result, new[] { DecryptResult.BadMac, DecryptResult.Ok });
            });
        }
    }

    [Fact]
    public void Random_bytes_as_state_throw_nothing_but_the_one_exception() =>
        Gen.Byte.Array[0, 3000].Sample(
            bytes =>
            {
                try
                {
                    PeerSessions.Import([2, .. bytes]).Dispose();
                    DevicePrekeys.Import([2, .. bytes]).Dispose();
                }
                catch (EndToEndException)
                {
                }
            },
            iter: 1000,
            threads: 1);

    private static void RefusesEverythingElse(byte[] exported, Action<byte[]> import)
    {
        import(exported);
        Assert.Throws<EndToEndException>(() => import([]));
        Assert.Throws<EndToEndException>(() => import([.. exported, 0]));
        Assert.Throws<EndToEndException>(() => import([3, .. exported[1..]]));
        for (var length = 1; length < exported.Length; length += length < 4000 ? 7 : 101)
        {
            Assert.Throws<EndToEndException>(() => import(exported[..length]));
        }
    }

    private static void BreaksNothing(Device reader, Device sender, byte[] state, byte[] envelope) =>
        ForEveryChange(state, changed =>
        {
            using var imported = PeerSessions.Import(changed);
            Assert.Equal(changed, Copy(imported.Export()));
            imported.Decrypt(
                reader.Identity, reader.Prekeys, sender.Public, envelope, Device.MessageId, reader.Now, out _);
            imported.WantsAnswer(reader.Now);
            Copy(imported.Export());
            imported.Encrypt("text"u8, Device.MessageId, reader.Now);
        });

    private static void ForEveryChange(byte[] stored, Action<byte[]> use)
    {
        for (var i = 0; i < stored.Length; i++)
        {
            var changed = stored.ToArray();
            changed[i] ^= (byte)(i % 2 == 0 ? 0x01 : 0xFF);
            try
            {
                use(changed);
            }
            catch (EndToEndException)
            {
                // The one exception that a damaged state may cause.
            }
        }
    }
}
