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

    [Fact]
    public void A_signed_but_unusable_x25519_prekey_starts_no_session()
    {
        using var alice = new Device();
        using var bob = new Device();
        var good = bob.Prekeys.Bundle;
        var zero = new byte[32];
        var bundle = new PrekeyBundle(
            7,
            zero,
            PrekeySignature.Create(bob.Identity, Labels.SignedPrekey, 7, zero),
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
        var bad = new byte[MlKem768.PublicKeySize];
        bad.AsSpan().Fill(0xFF);
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

    [Fact]
    public void An_unusable_identity_key_starts_no_session()
    {
        using var alice = new Device();
        using var bob = new Device();
        Refuses(alice, new PublicDeviceIdentity(bob.Public.SigningKey.Span, new byte[32]), bob.Prekeys.Bundle);
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
}
