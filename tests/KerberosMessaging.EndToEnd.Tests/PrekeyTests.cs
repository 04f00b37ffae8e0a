using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd.Tests;

public sealed class PrekeyTests
{
    private static PrekeyBundle Read(byte[] bytes)
    {
        Assert.True(PrekeyBundle.TryRead(bytes, out var bundle));
        return bundle;
    }

    private static void Refuses(Device alice, PublicDeviceIdentity peer, PrekeyBundle bundle)
    {
        Assert.Throws<EndToEndException>(() => alice.Sessions.StartSession(alice.Identity, [], peer, bundle, null, null, alice.Now));
        Assert.False(alice.Sessions.HasSession);
    }

    [Fact]
    public void A_bundle_survives_its_encoding()
    {
        using var bob = new Device();
        var bytes = bob.Prekeys.Bundle.ToBytes();
        Assert.Equal(PrekeyBundle.Size, bytes.Length);
        Assert.Equal(1352, bytes.Length);
        var bundle = Read(bytes);
        Assert.True(bundle.IsSignedBy(bob.Public));
        Assert.Equal(bytes, bundle.ToBytes());
        Assert.Equal(bob.Prekeys.Bundle.SignedPrekeyId, bundle.SignedPrekeyId);
        Assert.Equal(bob.Prekeys.Bundle.KemPrekeyId, bundle.KemPrekeyId);
    }

    [Fact]
    public void A_bundle_of_another_length_is_not_read()
    {
        using var bob = new Device();
        var bytes = bob.Prekeys.Bundle.ToBytes();
        Assert.False(PrekeyBundle.TryRead([], out _));
        Assert.False(PrekeyBundle.TryRead(bytes.AsSpan(0, bytes.Length - 1), out _));
        Assert.False(PrekeyBundle.TryRead([.. bytes, 0], out _));
    }

    [Fact]
    public void A_bundle_with_any_byte_changed_starts_no_session()
    {
        using var alice = new Device();
        using var bob = new Device();
        var bytes = bob.Prekeys.Bundle.ToBytes();
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] ^= 0x10;
            Assert.False(Read(bytes).IsSignedBy(bob.Public));
            bytes[i] ^= 0x10;
        }

        bytes[40] ^= 1;
        Refuses(alice, bob.Public, Read(bytes));
    }

    [Fact]
    public void A_bundle_of_another_signer_starts_no_session()
    {
        using var alice = new Device();
        using var bob = new Device();
        using var mallory = new Device();
        Refuses(alice, bob.Public, mallory.Prekeys.Bundle);
    }

    [Fact]
    public void A_bundle_with_keys_mixed_from_two_devices_starts_no_session()
    {
        using var alice = new Device();
        using var bob = new Device();
        using var mallory = new Device();
        var good = bob.Prekeys.Bundle.ToBytes();
        var bad = mallory.Prekeys.Bundle.ToBytes();
        Refuses(alice, bob.Public, Read([.. good[..100], .. bad[100..]]));
        Refuses(alice, bob.Public, Read([.. bad[..100], .. good[100..]]));
    }

    [Fact]
    public void Exchanged_signatures_or_ids_are_refused()
    {
        using var alice = new Device();
        using var bob = new Device();
        var bytes = bob.Prekeys.Bundle.ToBytes();
        var exchanged = bytes.ToArray();
        bytes.AsSpan(1288, 64).CopyTo(exchanged.AsSpan(36));
        bytes.AsSpan(36, 64).CopyTo(exchanged.AsSpan(1288));
        Refuses(alice, bob.Public, Read(exchanged));

        exchanged = bytes.ToArray();
        bytes.AsSpan(100, 4).CopyTo(exchanged);
        bytes.AsSpan(0, 4).CopyTo(exchanged.AsSpan(100));
        Refuses(alice, bob.Public, Read(exchanged));
    }

    [Fact]
    public void Prekeys_of_two_rotations_can_be_told_apart()
    {
        using var bob = new Device();
        var first = bob.Prekeys.Bundle;
        bob.Prekeys.Rotate(bob.Identity, bob.Now);
        var second = bob.Prekeys.Bundle;
        Assert.True(second.IsSignedBy(bob.Public));
        Assert.NotEqual(first.SignedPrekeyId, second.SignedPrekeyId);
        Assert.NotEqual(first.KemPrekeyId, second.KemPrekeyId);
        Assert.NotEqual(first.SignedPrekey.ToArray(), second.SignedPrekey.ToArray());
        Assert.NotEqual(first.KemPrekey.ToArray(), second.KemPrekey.ToArray());
    }

    [Fact]
    public void Only_the_owner_rotates_prekeys()
    {
        using var bob = new Device();
        using var mallory = new Device();
        var before = bob.Prekeys.Bundle;
        Assert.Throws<EndToEndException>(() => bob.Prekeys.Rotate(mallory.Identity, bob.Now));
        Assert.Same(before, bob.Prekeys.Bundle);
    }

    [Theory]
    [MemberData(nameof(Forgery.LowOrderKeys), MemberType = typeof(Forgery))]
    public void A_signed_prekey_of_low_order_starts_no_session(string key)
    {
        using var alice = new Device();
        using var bob = new Device();
        var good = bob.Prekeys.Bundle;
        var lowOrder = Convert.FromHexString(key);
        var bundle = new PrekeyBundle(
            7,
            lowOrder,
            PrekeySignature.Create(bob.Identity, Labels.SignedPrekey, 7, lowOrder),
            good.KemPrekeyId,
            good.KemPrekey.Span,
            good.KemPrekeySignature.Span);
        Assert.True(bundle.IsSignedBy(bob.Public));
        Refuses(alice, bob.Public, bundle);
    }

    [Fact]
    public void A_signed_but_unusable_kem_prekey_starts_no_session()
    {
        using var alice = new Device();
        using var bob = new Device();
        var good = bob.Prekeys.Bundle;
        foreach (var bad in new[] { Forgery.UnusableKemKey(), [.. Enumerable.Repeat((byte)0xFF, MlKem768.PublicKeySize)] })
        {
            var bundle = new PrekeyBundle(
                good.SignedPrekeyId,
                good.SignedPrekey.Span,
                good.SignedPrekeySignature.Span,
                7,
                bad,
                PrekeySignature.Create(bob.Identity, Labels.KemPrekey, 7, bad));
            Assert.True(bundle.IsSignedBy(bob.Public));
            Refuses(alice, bob.Public, bundle);
        }
    }

    [Theory]
    [MemberData(nameof(Forgery.LowOrderKeys), MemberType = typeof(Forgery))]
    public void An_identity_key_of_low_order_starts_no_session(string key)
    {
        using var alice = new Device();
        using var bob = new Device();
        Refuses(alice, new PublicDeviceIdentity(bob.Public.SigningKey.Span, Convert.FromHexString(key)), bob.Prekeys.Bundle);
    }

    [Fact]
    public void A_device_starts_no_session_with_itself()
    {
        using var alice = new Device();
        Refuses(alice, alice.Public, alice.Prekeys.Bundle);
    }

    [Fact]
    public void A_message_under_the_previous_prekeys_is_read()
    {
        var (alice, bob) = Device.Pair();
        using (alice)
        using (bob)
        {
            var envelope = alice.Send("before the rotation");
            bob.Prekeys.Rotate(bob.Identity, bob.Now);
            bob.Restart();
            bob.MustRead(alice, envelope, "before the rotation");
        }
    }

    [Fact]
    public void A_message_under_the_prekeys_before_the_previous_ones_is_not_read()
    {
        var (alice, bob) = Device.Pair();
        using (alice)
        using (bob)
        {
            var envelope = alice.Send("too late");
            bob.Prekeys.Rotate(bob.Identity, bob.Now);
            bob.Prekeys.Rotate(bob.Identity, bob.Now);
            bob.MustRefuse(alice, envelope, DecryptResult.UnknownPrekey);
            bob.Restart();
            bob.MustRefuse(alice, envelope, DecryptResult.UnknownPrekey);
        }
    }

    [Fact]
    public void A_session_outlives_the_prekeys_it_started_with()
    {
        var (alice, bob) = Device.Pair();
        using (alice)
        using (bob)
        {
            bob.MustRead(alice, alice.Send("first"), "first");
            bob.Prekeys.Rotate(bob.Identity, bob.Now);
            bob.Prekeys.Rotate(bob.Identity, bob.Now);
            bob.MustRead(alice, alice.Send("second"), "second");
            alice.MustRead(bob, bob.Send("answer"), "answer");
        }
    }

    [Fact]
    public void Rotation_is_due_after_a_week_and_by_a_clock_that_is_far_off()
    {
        using var bob = new Device();
        Assert.Equal(TimeSpan.FromDays(7), DevicePrekeys.RotationPeriod);
        Assert.Equal(bob.Now, bob.Prekeys.RotatedAt);
        Assert.False(bob.Prekeys.IsRotationDue(bob.Now));
        Assert.False(bob.Prekeys.IsRotationDue(bob.Now + DevicePrekeys.RotationPeriod - TimeSpan.FromSeconds(1)));
        Assert.True(bob.Prekeys.IsRotationDue(bob.Now + DevicePrekeys.RotationPeriod));
        bob.Restart();
        Assert.False(bob.Prekeys.IsRotationDue(bob.Now + DevicePrekeys.RotationPeriod - TimeSpan.FromSeconds(1)));
        Assert.True(bob.Prekeys.IsRotationDue(bob.Now + DevicePrekeys.RotationPeriod));

        // Rotated while the clock was years ahead: they are not kept for years.
        bob.Prekeys.Rotate(bob.Identity, bob.Now.AddYears(10));
        Assert.Equal(bob.Now.AddYears(10), bob.Prekeys.RotatedAt);
        Assert.True(bob.Prekeys.IsRotationDue(bob.Now));
        bob.Prekeys.Rotate(bob.Identity, bob.Now);
        Assert.False(bob.Prekeys.IsRotationDue(bob.Now));
    }

    [Fact]
    public void Prekeys_are_kept_one_period_after_their_rotation_and_then_erased()
    {
        using var bob = new Device();
        var state = bob.PrekeyState();
        var (signedPrekey, kemSeed) = (state[13..45], state[49..113]);
        bob.Prekeys.Rotate(bob.Identity, bob.Now);
        Assert.True(Holds(bob.PrekeyState(), signedPrekey));
        Assert.True(Holds(bob.PrekeyState(), kemSeed));
        bob.Prekeys.Rotate(bob.Identity, bob.Now);
        Assert.False(Holds(bob.PrekeyState(), signedPrekey));
        Assert.False(Holds(bob.PrekeyState(), kemSeed));
    }

    private static bool Holds(byte[] state, byte[] key) => state.AsSpan().IndexOf(key) >= 0;
}
