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
            bob.MustRead(alice, alice.Send("turn"), "turn");
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
    public void Changed_state_is_refused_or_means_itself()
    {
        var state = RichState();
        var change =
            from position in Gen.Int[0, state.Length - 1]
            from value in Gen.Byte
            select (position, value);
        change.Sample(
            c =>
            {
                var changed = state.ToArray();
                changed[c.position] = c.value;
                PeerSessions imported;
                try
                {
                    imported = PeerSessions.Import(changed);
                }
                catch (EndToEndException)
                {
                    return true;
                }

                using (imported)
                {
                    return Copy(imported.Export()).AsSpan().SequenceEqual(changed);
                }
            },
            iter: 500,
            threads: 1);
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
        for (var length = 1; length < exported.Length; length += length < 4000 ? 37 : 701)
        {
            Assert.Throws<EndToEndException>(() => import(exported[..length]));
        }
    }
}
