using System.Security.Cryptography;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Tickets.Tests;

public sealed class ServerProofTests
{
    private static readonly Ed25519PrivateKey Key = Ed25519PrivateKey.Generate();
    private static readonly byte[] PublicKey = Key.PublicKey.ToArray();

    [Fact]
    public void An_enrolment_is_signed_over_the_channel_and_the_hash_of_the_token() => Assert.Equal(
        [.. "kmsg/25 server enrolment\0"u8, .. Realm.ChannelBinding, .. SHA256.HashData("töken"u8)],
        ServerProof.EnrolmentSignedBytes(Realm.ChannelBinding, "töken"));

    [Fact]
    public void An_enrolment_proves_one_key_on_one_channel_for_one_token()
    {
        var signature = Key.Sign(ServerProof.EnrolmentSignedBytes(Realm.ChannelBinding, "token"));

        Assert.True(ServerProof.IsEnrolmentSigned(signature, PublicKey, Realm.ChannelBinding, "token"));
        Assert.All(Flips.Of(signature), changed => Assert.False(ServerProof.IsEnrolmentSigned(changed, PublicKey, Realm.ChannelBinding, "token")));
        Assert.All(Flips.Of(PublicKey), changed => Assert.False(ServerProof.IsEnrolmentSigned(signature, changed, Realm.ChannelBinding, "token")));
        Assert.All(
            Flips.Of(Realm.ChannelBinding), changed => Assert.False(ServerProof.IsEnrolmentSigned(signature, PublicKey, changed, "token")));
        Assert.False(ServerProof.IsEnrolmentSigned(signature, PublicKey, Realm.ChannelBinding, "Token"));
        Assert.False(ServerProof.IsEnrolmentSigned(signature, PublicKey, Realm.ChannelBinding, ""));
    }

    [Fact]
    public void An_authentication_is_signed_over_the_channel_and_every_field_of_the_request() => Assert.Equal(
        [
            .. "kmsg/25 server authentication\0"u8, .. Realm.ChannelBinding, .. Realm.Server.Value.ToByteArray(bigEndian: true),
            0, 5, .. "Büro"u8, 0, 1, .. "h"u8, 0x04, 0xE9,
        ],
        ServerProof.AuthenticationSignedBytes(Realm.ChannelBinding, Realm.Server, "Büro", "h", 1257));

    [Fact]
    public void An_authentication_proves_one_server_with_one_address_on_one_channel()
    {
        var signature = Key.Sign(ServerProof.AuthenticationSignedBytes(Realm.ChannelBinding, Realm.Server, "mail", "host", 1257));

        Assert.True(IsSigned(signature, PublicKey, Realm.ChannelBinding));
        Assert.All(Flips.Of(signature), changed => Assert.False(IsSigned(changed, PublicKey, Realm.ChannelBinding)));
        Assert.All(Flips.Of(PublicKey), changed => Assert.False(IsSigned(signature, changed, Realm.ChannelBinding)));
        Assert.All(Flips.Of(Realm.ChannelBinding), changed => Assert.False(IsSigned(signature, PublicKey, changed)));
        Assert.False(IsSigned(signature, PublicKey, Realm.ChannelBinding, server: ServerId.New()));
        Assert.False(IsSigned(signature, PublicKey, Realm.ChannelBinding, port: 1258));

        // Not even where name and host together are the same.
        Assert.False(IsSigned(signature, PublicKey, Realm.ChannelBinding, name: "mailh", host: "ost"));
    }

    [Fact]
    public void A_proof_for_one_purpose_is_none_for_another()
    {
        var enrolment = Key.Sign(ServerProof.EnrolmentSignedBytes(Realm.ChannelBinding, "token"));
        var authentication = Key.Sign(ServerProof.AuthenticationSignedBytes(Realm.ChannelBinding, Realm.Server, "mail", "host", 1257));

        Assert.False(IsSigned(enrolment, PublicKey, Realm.ChannelBinding));
        Assert.False(ServerProof.IsEnrolmentSigned(authentication, PublicKey, Realm.ChannelBinding, "token"));
    }

    private static bool IsSigned(
        byte[] signature, byte[] key, byte[] channelBinding, ServerId? server = null, string name = "mail", string host = "host", ushort port = 1257) =>
        ServerProof.IsAuthenticationSigned(signature, key, channelBinding, server ?? Realm.Server, name, host, port);
}
