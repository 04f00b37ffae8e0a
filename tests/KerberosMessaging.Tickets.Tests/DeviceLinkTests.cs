using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Tickets.Tests;

public sealed class DeviceLinkTests
{
    private static readonly ClientId Client = ClientId.New();
    private static readonly DeviceId Device = DeviceId.New();
    private static readonly byte[] Identity = [.. Enumerable.Range(1, 64).Select(value => (byte)value)];
    private static readonly Ed25519PrivateKey AccountKey = Ed25519PrivateKey.Generate();
    private static readonly byte[] Link = DeviceLink.Sign(AccountKey, Client, Device, Identity);

    [Fact]
    public void A_link_verifies_and_names_the_account_key()
    {
        Assert.Equal(97, Link.Length);
        Assert.True(DeviceLink.TryVerify(Link, Client, Device, Identity, out var accountKey));
        Assert.Equal(AccountKey.PublicKey.ToArray(), accountKey);
    }

    [Fact]
    public void No_bit_of_a_link_can_change() => Assert.All(Flips.Of(Link), AssertRefused);

    [Fact]
    public void A_link_of_another_length_is_refused() => Assert.All(Flips.Lengths(Link), AssertRefused);

    [Fact]
    public void A_link_of_another_client_is_refused() =>
        Assert.False(DeviceLink.TryVerify(Link, ClientId.New(), Device, Identity, out _));

    [Fact]
    public void A_link_of_another_device_is_refused() =>
        Assert.False(DeviceLink.TryVerify(Link, Client, DeviceId.New(), Identity, out _));

    [Fact]
    public void A_link_of_the_same_device_with_other_keys_is_refused() => Assert.All(
        Flips.Of(Identity), changed => Assert.False(DeviceLink.TryVerify(Link, Client, Device, changed, out _)));

    [Fact]
    public void An_identity_of_another_length_is_refused_or_not_signed()
    {
        Assert.All(Flips.Lengths(Identity), changed => Assert.False(DeviceLink.TryVerify(Link, Client, Device, changed, out _)));
        Assert.Throws<ArgumentOutOfRangeException>(() => DeviceLink.Sign(AccountKey, Client, Device, Identity.AsSpan(1)));
    }

    [Fact]
    public void A_link_of_another_format_is_refused_although_the_account_key_signed_it()
    {
        Assert.True(DeviceLink.TryVerify(Write(1, Label), Client, Device, Identity, out _));
        AssertRefused(Write(2, Label));
        AssertRefused(Write(0, Label));
    }

    [Fact]
    public void A_signature_that_the_account_key_made_for_something_else_is_worth_nothing()
    {
        AssertRefused(Write(1, []));
        AssertRefused(Write(1, "kmsg/25 device certificate\0"u8));
    }

    [Fact]
    public void A_link_names_the_key_that_signed_it_and_not_the_one_that_should_have()
    {
        using var other = Ed25519PrivateKey.Generate();

        Assert.True(DeviceLink.TryVerify(DeviceLink.Sign(other, Client, Device, Identity), Client, Device, Identity, out var accountKey));
        Assert.Equal(other.PublicKey.ToArray(), accountKey);
        AssertRefused([1, .. AccountKey.PublicKey.Span, .. DeviceLink.Sign(other, Client, Device, Identity).AsSpan(33)]);
    }

    private static ReadOnlySpan<byte> Label => "kmsg/25 device link\0"u8;

    private static byte[] Write(byte version, ReadOnlySpan<byte> label)
    {
        byte[] signed =
            [.. label, version, .. Client.Value.ToByteArray(bigEndian: true), .. Device.Value.ToByteArray(bigEndian: true), .. Identity];
        return [version, .. AccountKey.PublicKey.Span, .. AccountKey.Sign(signed)];
    }

    private static void AssertRefused(byte[] link)
    {
        Assert.False(DeviceLink.TryVerify(link, Client, Device, Identity, out var accountKey));
        Assert.Null(accountKey);
    }
}
