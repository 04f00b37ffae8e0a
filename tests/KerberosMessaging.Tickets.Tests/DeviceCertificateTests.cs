using CsCheck;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Tickets.Tests;

public sealed class DeviceCertificateTests
{
    private static readonly DeviceCertificate Certificate = new(
        ClientId.New(), "alice", DeviceId.New(), [.. Enumerable.Repeat((byte)1, 32)], [.. Enumerable.Repeat((byte)2, 32)], 42, Realm.Now);

    [Fact]
    public void What_was_signed_is_what_is_read() =>
        Gen.Select(Gen.Guid, BodyGen.Name, Gen.Guid, BodyGen.Key, BodyGen.Key, Gen.ULong, BodyGen.Time).Sample(
            (client, name, device, signingKey, agreementKey, serial, issuedAt) =>
            {
                var certificate = new DeviceCertificate(
                    new ClientId(client), name, new DeviceId(device), signingKey, agreementKey, serial, issuedAt);
                var bytes = certificate.Sign(Realm.SigningKey);
                var read = DeviceCertificate.TryRead(bytes, Realm.PublicKey);

                return read is not null
                    && read with { SigningKey = signingKey, AgreementKey = agreementKey } == certificate
                    && read.SigningKey.AsSpan().SequenceEqual(signingKey)
                    && read.AgreementKey.AsSpan().SequenceEqual(agreementKey)
                    && bytes.Length == 179 + BodyGen.NameBytes(name)
                    && bytes.Length <= ProtocolLimits.CertificateBytes;
            });

    [Fact]
    public void No_bit_of_a_certificate_can_change()
    {
        var bytes = Certificate.Sign(Realm.SigningKey);

        Assert.All(Flips.Of(bytes), changed => Assert.Null(DeviceCertificate.TryRead(changed, Realm.PublicKey)));
        Assert.All(Flips.Lengths(bytes), changed => Assert.Null(DeviceCertificate.TryRead(changed, Realm.PublicKey)));
    }

    [Fact]
    public void A_certificate_of_another_realm_is_refused()
    {
        using var other = Ed25519PrivateKey.Generate();

        Assert.Null(DeviceCertificate.TryRead(Certificate.Sign(other), Realm.PublicKey));
    }

    [Fact]
    public void A_signature_that_the_realm_made_for_something_else_is_worth_nothing()
    {
        var fields = Certificate.Sign(Realm.SigningKey)[..^64];

        Assert.NotNull(DeviceCertificate.TryRead(Sign(fields), Realm.PublicKey));
        Assert.Null(DeviceCertificate.TryRead([.. fields, .. Realm.SigningKey.Sign(fields)], Realm.PublicKey));
    }

    [Fact]
    public void A_certificate_of_another_format_is_refused_although_the_realm_signed_it()
    {
        var fields = Certificate.Sign(Realm.SigningKey)[..^64];
        var newer = fields.ToArray();
        newer[0] = 2;

        Assert.Null(DeviceCertificate.TryRead(Sign(newer), Realm.PublicKey));
        Assert.Null(DeviceCertificate.TryRead(Sign([.. fields, 0]), Realm.PublicKey));
        Assert.Null(DeviceCertificate.TryRead(Sign(fields[..^1]), Realm.PublicKey));
        Assert.Null(DeviceCertificate.TryRead(Sign([]), Realm.PublicKey));
    }

    [Fact]
    public void A_certificate_over_the_limit_is_refused_unread() =>
        Assert.Null(DeviceCertificate.TryRead(new byte[ProtocolLimits.CertificateBytes + 1], Realm.PublicKey));

    private static byte[] Sign(byte[] fields) =>
        [.. fields, .. Realm.SigningKey.Sign([.. "kmsg/25 device certificate\0"u8, .. fields])];
}
