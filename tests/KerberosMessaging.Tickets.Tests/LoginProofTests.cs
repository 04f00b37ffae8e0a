using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Tickets.Tests;

public sealed class LoginProofTests
{
    private static readonly Ed25519PrivateKey Device = Ed25519PrivateKey.Generate();
    private static readonly byte[] Identity = [.. Device.PublicKey.Span, .. Enumerable.Repeat((byte)9, 32)];
    private static readonly byte[] Ke3 = [.. Enumerable.Repeat((byte)3, 64)];
    private static readonly DeviceId Id = DeviceId.New();

    [Fact]
    public void The_OPAQUE_context_names_the_channel() =>
        Assert.Equal([.. "kmsg/25 login\0"u8, .. Realm.ChannelBinding], LoginProof.OpaqueContext(Realm.ChannelBinding));

    [Fact]
    public void A_device_proves_its_key_for_one_login_on_one_channel()
    {
        var signature = Device.Sign(LoginProof.DeviceSignedBytes(Realm.ChannelBinding, Ke3, Id, Identity));

        Assert.True(LoginProof.IsSignedByDevice(signature, Realm.ChannelBinding, Ke3, Id, Identity));
        Assert.All(Flips.Of(signature), changed => Assert.False(LoginProof.IsSignedByDevice(changed, Realm.ChannelBinding, Ke3, Id, Identity)));
        Assert.All(Flips.Of(Realm.ChannelBinding), changed => Assert.False(LoginProof.IsSignedByDevice(signature, changed, Ke3, Id, Identity)));
        Assert.All(Flips.Of(Ke3), changed => Assert.False(LoginProof.IsSignedByDevice(signature, Realm.ChannelBinding, changed, Id, Identity)));
        Assert.All(Flips.Of(Identity), changed => Assert.False(LoginProof.IsSignedByDevice(signature, Realm.ChannelBinding, Ke3, Id, changed)));
        Assert.False(LoginProof.IsSignedByDevice(signature, Realm.ChannelBinding, Ke3, DeviceId.New(), Identity));
    }

    [Fact]
    public void Another_devices_signature_proves_nothing()
    {
        using var other = Ed25519PrivateKey.Generate();
        var signature = other.Sign(LoginProof.DeviceSignedBytes(Realm.ChannelBinding, Ke3, Id, Identity));

        Assert.False(LoginProof.IsSignedByDevice(signature, Realm.ChannelBinding, Ke3, Id, Identity));
    }
}
