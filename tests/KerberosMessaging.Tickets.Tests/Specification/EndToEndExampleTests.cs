using System.Security.Cryptography;
using System.Text;
using KerberosMessaging.Cryptography;
using KerberosMessaging.EndToEnd;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Protocol.Tests;

namespace KerberosMessaging.Tickets.Tests.Specification;

/// <summary>The worked example of docs/protocol.md, section 13.7, is what the code does.</summary>
public sealed class EndToEndExampleTests
{
    private const int PrekeyHeader = 1199;

    private static readonly byte[] AliceIdentity = Example("alice-identity");
    private static readonly byte[] BobIdentity = Example("bob-identity");
    private static readonly byte[] Envelope = Example("prekey-envelope");
    private static readonly byte[] AliceId = [.. Enumerable.Range(0x10, 16).Select(static value => (byte)value)];
    private static readonly byte[] BobId = [.. Enumerable.Range(0x18, 16).Select(static value => (byte)value)];
    private static readonly byte[] Message = [.. Enumerable.Range(0x70, 16).Select(static value => (byte)value)];

    [Fact]
    public void The_identities_belong_to_the_stated_private_keys()
    {
        using var alice = Identity("alice");
        using var bob = Identity("bob");

        Assert.Equal(AliceIdentity, alice.Public.ToBytes());
        Assert.Equal(BobIdentity, bob.Public.ToBytes());
    }

    [Fact]
    public void The_bundle_is_the_one_that_the_stated_private_keys_make()
    {
        using var bob = Identity("bob");
        using var prekeys = BobsPrekeys();

        Assert.Equal(Example("prekey-bundle"), prekeys.Bundle.ToBytes());
        Assert.True(prekeys.Bundle.IsSignedBy(bob.Public));
    }

    [Fact]
    public void The_envelope_opens_to_the_stated_content()
    {
        using var bob = Identity("bob");
        using var prekeys = BobsPrekeys();
        using var sessions = PeerSessions.Create();
        Assert.True(PublicDeviceIdentity.TryRead(AliceIdentity, out var alice));

        var result = sessions.Decrypt(bob, prekeys, alice, Envelope, Message, DateTimeOffset.UnixEpoch, out var content);

        Assert.Equal(DecryptResult.Ok, result);
        Assert.Equal(Example("message-content"), content);
    }

    [Fact]
    public void The_envelope_carries_certificate_and_link_and_has_the_shape_that_a_server_checks()
    {
        EnvelopeShape.Check(Envelope);
        Assert.True(EnvelopeFormat.TryReadCredentials(Envelope, out var credentials));
        var reader = new WireReader(credentials);
        Assert.Equal(Example("device-certificate"), reader.ReadBytes16(ProtocolLimits.CertificateBytes));
        Assert.Equal(Example("device-link"), reader.ReadBytes16(DeviceLink.Size));
        reader.ExpectEnd();
    }

    [Fact]
    public void The_content_is_the_stated_text()
    {
        var reader = new WireReader(Example("message-content"));

        Assert.Equal(1, reader.ReadU8());
        Assert.Equal(1, reader.ReadU16());
        Assert.Equal(new DateTimeOffset(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero), reader.ReadTime());
        Assert.Equal("Hello, Bob", Encoding.UTF8.GetString(reader.ReadFixed(reader.Remaining)));
    }

    /// <summary>The steps between, done here once more with nothing but what the specification says.</summary>
    [Fact]
    public void The_keys_follow_from_each_other_as_stated()
    {
        using var agreement = X25519PrivateKey.FromBytes(Example("alice-agreement-private"));
        using var ephemeral = X25519PrivateKey.FromBytes(Example("alice-ephemeral-private"));
        using var ratchet = X25519PrivateKey.FromBytes(Example("alice-ratchet-private"));
        using var kemPrekey = MlKem768PrivateKey.FromSeed(Example("bob-kem-prekey-seed"));
        var header = Envelope.AsSpan(2, PrekeyHeader).ToArray();
        var ciphertext = header[109..1197];
        var signedPrekey = Example("prekey-bundle")[4..36];
        var kemSecret = new byte[32];
        Assert.True(kemPrekey.TryDecapsulate(ciphertext, kemSecret));
        using var oneTimePrekey = X25519PrivateKey.FromBytes(Example("bob-one-time-prekey-private"));

        byte[] input =
        [
            .. Enumerable.Repeat((byte)0xFF, 32),
            .. Agree(agreement, signedPrekey),
            .. Agree(ephemeral, BobIdentity[32..]),
            .. Agree(ephemeral, signedPrekey),
            .. Agree(ephemeral, oneTimePrekey.PublicKey.ToArray()),
            .. kemSecret,
        ];
        var keys = HKDF.DeriveKey(
            HashAlgorithmName.SHA512, input, 160, new byte[64], "kmsg/25 PQXDH X25519 SHA-512 ML-KEM-768"u8.ToArray());
        byte[] associatedData =
        [
            .. "kmsg/25"u8, .. AliceIdentity, .. BobIdentity,
            .. SHA512.HashData(kemPrekey.PublicKey.Span), .. SHA512.HashData(ciphertext),
        ];
        var step = HKDF.DeriveKey(
            HashAlgorithmName.SHA256, Agree(ratchet, signedPrekey), 128, keys[..32], "kmsg/25 ratchet root"u8.ToArray());
        var credentialsSize = (header[1197] << 8) | header[1198];
        var sealedHeader = Envelope.AsSpan(2 + PrekeyHeader + credentialsSize + 2, 96);

        Assert.Equal(ephemeral.PublicKey.ToArray(), header[77..109]);
        Assert.Equal(Example("kem-shared-secret"), kemSecret);
        Assert.Equal(Example("pqxdh-shared-key"), keys[..32]);
        Assert.Equal(Example("header-key-a"), keys[32..96]);
        Assert.Equal(Example("header-key-b"), keys[96..]);
        Assert.Equal(Example("associated-data"), associatedData);
        Assert.Equal(Example("root-key"), step[..32]);
        Assert.Equal(Example("chain-key-0"), step[32..64]);
        Assert.Equal(Example("next-header-key"), step[64..]);
        Assert.Equal(Example("message-key-0"), HMACSHA256.HashData(step[32..64], new byte[] { 1 }));
        Assert.True(AuthenticatedCbc.TryOpen(keys.AsSpan(32, 64), sealedHeader, [], out var ratchetHeader));
        Assert.Equal(Example("ratchet-header"), ratchetHeader);
        Assert.Equal(ratchet.PublicKey.ToArray(), ratchetHeader.AsSpan(0, 32).ToArray());
    }

    [Fact]
    public void The_safety_number_is_the_stated_one()
    {
        using var alice = Ed25519PrivateKey.FromSeed(Example("account-seed"));
        using var bob = Ed25519PrivateKey.FromSeed(Example("bob-account-seed"));

        var number = SafetyNumber.Format(SafetyNumber.Compute(AliceId, alice.PublicKey.Span, BobId, bob.PublicKey.Span));

        Assert.Equal(SpecificationDocument.TextExample("safety-number"), number);
    }

    [Fact]
    public void The_link_code_is_of_the_stated_device_and_proves_as_stated()
    {
        using var alice = Identity("alice");
        using var bob = Identity("bob");
        byte[] device = [.. Enumerable.Range(0x30, 16).Select(static value => (byte)value)];

        Assert.True(LinkCode.TryParse(SpecificationDocument.TextExample("link-code"), out var code));

        using (code)
        {
            Assert.True(code.IsOf(AliceId, device, alice.Public));
            Assert.Equal(Example("link-proof"), code.Prove(Example("account-key"), alice.Public, bob.Public));
        }
    }

    private static byte[] Example(string name) => SpecificationDocument.Example(name);

    private static byte[] Agree(X25519PrivateKey key, byte[] peer)
    {
        var shared = new byte[X25519PrivateKey.Size];
        Assert.True(key.TryAgree(peer, shared));
        return shared;
    }

    // Fixed keys can come in only by the form in which a device stores its own.
    private static DeviceIdentity Identity(string name) =>
        DeviceIdentity.Import([1, .. Example($"{name}-signing-seed"), .. Example($"{name}-agreement-private")]);

    private static DevicePrekeys BobsPrekeys()
    {
        var bundle = Example("prekey-bundle");
        return DevicePrekeys.Import(
        [
            2, .. new byte[8],
            .. bundle[..4], .. Example("bob-signed-prekey-private"), .. bundle[100..104], .. Example("bob-kem-prekey-seed"),
            .. bundle,
            0,
            0, 0, 0, 3,
            0, 1, 0, 0, 0, 3, .. Example("bob-one-time-prekey-private"),
            0, 0,
        ]);
    }
}
