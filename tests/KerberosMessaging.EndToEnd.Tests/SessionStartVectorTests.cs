using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd.Tests;

/// <summary>
/// Recorded first messages, with one-time prekeys and without. The initiator is <see cref="Reference"/>, so that its ephemeral
/// keys are known; the responder is the library.
/// </summary>
public sealed class SessionStartVectorTests
{
    private static readonly VectorFile Vector = VectorFile.Read("session-start.txt", Record);

    public static readonly TheoryData<string> Cases = ["one_time", "last_resort"];

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_library_reads_the_recorded_first_message(string start)
    {
        using var bob = DeviceIdentity.Import([1, .. Vector["bob_signing_seed"], .. Vector["bob_agreement_private"]]);
        using var prekeys = DevicePrekeys.Import(BobPrekeys());
        Assert.Equal(Vector["bob_identity"], bob.Public.ToBytes());
        Assert.Equal(Vector["bob_bundle"], prekeys.Bundle.ToBytes());
        Assert.Equal(Vector["bob_one_time_prekey"], Assert.Single(prekeys.X25519Above(0)).Key.ToArray());
        Assert.Equal(Vector["bob_one_time_kem_prekey"], Assert.Single(prekeys.MlKem768Above(0, bob)).Key.ToArray());

        Assert.True(PublicDeviceIdentity.TryRead(Vector["alice_identity"], out var alice));
        using var sessions = PeerSessions.Create();
        Assert.Equal(DecryptResult.Ok, Read(out var plaintext));
        Assert.Equal(Vector[$"{start}_plaintext"], plaintext);
        var left = start == "one_time" ? 0 : 1;
        Assert.Equal(left, prekeys.X25519Above(0).Count);
        Assert.Equal(left, prekeys.MlKem768Above(0, bob).Count);
        Assert.Equal(DecryptResult.Duplicate, Read(out _));

        DecryptResult Read(out byte[] text) => sessions.Decrypt(
            bob, prekeys, alice, Vector[$"{start}_envelope"], Vector[$"{start}_message_id"], Device.Epoch, out text);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_description_alone_reads_the_recorded_first_message(string start)
    {
        var envelope = Vector[$"{start}_envelope"];
        var parts = ReferenceEnvelope.Of(envelope);
        var usesOneTime = start == "one_time";
        Assert.True(parts.IsPrekey);
        Vector.Matches("alice_identity", parts.SenderIdentity);
        Vector.Matches("bob_signed_prekey_id", Reference.BigEndian(parts.SignedPrekeyId));
        Assert.Equal(usesOneTime ? Vector["bob_one_time_prekey_id"] : new byte[4], Reference.BigEndian(parts.OneTimePrekeyId));
        Assert.Equal(usesOneTime ? 2 : 1, parts.KemPrekeyKind);
        Vector.Matches(usesOneTime ? "bob_one_time_kem_prekey_id" : "bob_kem_prekey_id", Reference.BigEndian(parts.KemPrekeyId));
        Vector.Matches($"{start}_base_key", parts.BaseKey);
        Vector.Matches($"{start}_kem_ciphertext", parts.KemCiphertext);
        Vector.Matches($"{start}_credentials", parts.Credentials);

        // Bob's side: his private keys with what the envelope says.
        var signedPrekey = Vector["bob_signed_prekey_private"];
        var kemSeed = Vector[usesOneTime ? "bob_one_time_kem_prekey_seed" : "bob_kem_prekey_seed"];
        var dh1 = Reference.Agree(signedPrekey, parts.SenderIdentity[32..]);
        var dh2 = Reference.Agree(Vector["bob_agreement_private"], parts.BaseKey);
        var dh3 = Reference.Agree(signedPrekey, parts.BaseKey);
        var dh4 = usesOneTime ? Reference.Agree(Vector["bob_one_time_prekey_private"], parts.BaseKey) : [];
        var kemSecret = Reference.Decapsulate(kemSeed, parts.KemCiphertext);
        Vector.Matches($"{start}_dh1", dh1);
        Vector.Matches($"{start}_dh2", dh2);
        Vector.Matches($"{start}_dh3", dh3);
        Assert.Equal(usesOneTime, Vector.Has($"{start}_dh4"));
        if (usesOneTime)
        {
            Vector.Matches($"{start}_dh4", dh4);
        }

        Vector.Matches($"{start}_kem_shared_secret", kemSecret);

        // Alice's side comes to the same.
        var ephemeral = Vector[$"{start}_ephemeral_private"];
        var signedPrekeyPublic = Vector["bob_bundle"][4..36];
        Vector.Matches($"{start}_base_key", Reference.X25519Public(ephemeral));
        Vector.Matches($"{start}_dh1", Reference.Agree(Vector["alice_agreement_private"], signedPrekeyPublic));
        Vector.Matches($"{start}_dh2", Reference.Agree(ephemeral, Vector["bob_identity"][32..]));
        Vector.Matches($"{start}_dh3", Reference.Agree(ephemeral, signedPrekeyPublic));
        Assert.True(!usesOneTime || dh4.SequenceEqual(Reference.Agree(ephemeral, Vector["bob_one_time_prekey"])));

        var keys = Reference.SessionKeys(dh1, dh2, dh3, dh4, kemSecret);
        var associatedData = Reference.AssociatedData(
            Vector["alice_identity"], Vector["bob_identity"], Reference.MlKemPublic(kemSeed), parts.KemCiphertext);
        Vector.Matches($"{start}_shared_key", keys.SharedKey);
        Vector.Matches($"{start}_initiator_header_key", keys.InitiatorHeaderKey);
        Vector.Matches($"{start}_responder_header_key", keys.ResponderHeaderKey);
        Vector.Matches($"{start}_associated_data", associatedData);

        var header = Reference.OpenHeader(keys.InitiatorHeaderKey, parts.SealedHeader);
        Assert.NotNull(header);
        Vector.Matches($"{start}_header", header);
        var agreed = Reference.Agree(signedPrekey, header[..32]);
        Vector.Matches($"{start}_ratchet_dh", agreed);
        Assert.Equal(agreed, Reference.Agree(Vector[$"{start}_ratchet_private"], signedPrekeyPublic));
        var step = Reference.StepRoot(keys.SharedKey, agreed, []);
        var (messageKey, _) = Reference.StepChain(step.ChainKey);
        Vector.Matches($"{start}_root_key", step.RootKey);
        Vector.Matches($"{start}_chain_key", step.ChainKey);
        Vector.Matches($"{start}_next_header_key", step.NextHeaderKey);
        Vector.Matches($"{start}_message_key", messageKey);
        var plaintext = Reference.Open(messageKey, associatedData, Vector[$"{start}_message_id"], envelope);
        Assert.Equal(Vector[$"{start}_plaintext"], plaintext);
        Vector.Matches(
            $"{start}_envelope",
            Reference.Seal(messageKey, associatedData, Vector[$"{start}_message_id"], parts.Prefix, parts.SealedHeader, plaintext!));
    }

    [Fact]
    public void The_prekeys_are_signed_as_described()
    {
        var bundle = Vector["bob_bundle"];
        var oneTime = Vector["bob_one_time_kem_prekey"];
        var signer = Vector["bob_identity"][..32];
        Vector.Matches("bob_signed_prekey_id", bundle[..4]);
        Vector.Matches("bob_kem_prekey_id", bundle[100..104]);
        byte[] signedPrekey = [.. "kmsg/25 signed prekey"u8, 0, .. bundle.AsSpan(0, 36)];
        byte[] kemPrekey = [.. "kmsg/25 kem prekey"u8, 0, .. bundle.AsSpan(100, 1188)];
        byte[] oneTimeKem =
            [.. "kmsg/25 one-time kem prekey"u8, 0, .. Vector["bob_one_time_kem_prekey_id"], .. oneTime.AsSpan(0, 1184)];
        Assert.True(Ed25519.Verify(signer, signedPrekey, bundle.AsSpan(36, 64)));
        Assert.True(Ed25519.Verify(signer, kemPrekey, bundle.AsSpan(1288)));
        Assert.True(Ed25519.Verify(signer, oneTimeKem, oneTime.AsSpan(1184)));
    }

    private static byte[] BobPrekeys() =>
    [
        2,
        .. new byte[8],
        .. Vector["bob_signed_prekey_id"], .. Vector["bob_signed_prekey_private"],
        .. Vector["bob_kem_prekey_id"], .. Vector["bob_kem_prekey_seed"],
        .. Vector["bob_bundle"],
        0,
        .. Vector["bob_one_time_kem_prekey_id"],
        0, 1, .. Vector["bob_one_time_prekey_id"], .. Vector["bob_one_time_prekey_private"],
        0, 1, .. Vector["bob_one_time_kem_prekey_id"], .. Vector["bob_one_time_kem_prekey_seed"],
    ];

    private static void Record(VectorFile file)
    {
        using var alice = new Device();
        using var bob = new Device();
        bob.Prekeys.AddOneTime(1, 1);
        var prekeys = bob.PrekeyState();
        file.Comment(
            "How a session starts: PQXDH and the first message of the Double Ratchet. Two messages of Alice to Bob, one with one-time\n" +
            "prekeys and one with the last-resort KEM prekey. Every key was made for this file and is used nowhere else.");
        file.Comment("Alice's device: Ed25519 seed, X25519 private key, public identity.");
        AddIdentity(file, "alice", alice);
        file.Comment("Bob's device in the same way, and its prekeys.");
        AddIdentity(file, "bob", bob);
        file.Add("bob_signed_prekey_id", prekeys[9..13]);
        file.Add("bob_signed_prekey_private", prekeys[13..45]);
        file.Add("bob_kem_prekey_id", prekeys[45..49]);
        file.Add("bob_kem_prekey_seed", prekeys[49..113]);
        file.Add("bob_bundle", bob.Prekeys.Bundle.ToBytes());
        file.Add("bob_one_time_prekey_id", prekeys[1472..1476]);
        file.Add("bob_one_time_prekey_private", prekeys[1476..1508]);
        file.Add("bob_one_time_prekey", bob.Prekeys.X25519Above(0)[0].Key.ToArray());
        file.Add("bob_one_time_kem_prekey_id", prekeys[1510..1514]);
        file.Add("bob_one_time_kem_prekey_seed", prekeys[1514..1578]);
        file.Add("bob_one_time_kem_prekey", bob.Prekeys.MlKem768Above(0, bob.Identity)[0].Key.ToArray());
        RecordStart(file, "one_time", "Good morning, Bob"u8.ToArray());
        RecordStart(file, "last_resort", "Good evening, Bob"u8.ToArray());
    }

    private static void AddIdentity(VectorFile file, string name, Device device)
    {
        using var exported = device.Identity.Export();
        file.Add($"{name}_signing_seed", exported.Span[1..33].ToArray());
        file.Add($"{name}_agreement_private", exported.Span[33..].ToArray());
        file.Add($"{name}_identity", device.Public.ToBytes());
    }

    private static void RecordStart(VectorFile file, string start, byte[] plaintext)
    {
        var usesOneTime = start == "one_time";
        var ephemeral = SecretBytes.Random(32).Span.ToArray();
        var ratchet = SecretBytes.Random(32).Span.ToArray();
        var messageId = SecretBytes.Random(16).Span.ToArray();
        var baseKey = Reference.X25519Public(ephemeral);
        var signedPrekey = file["bob_bundle"][4..36];
        var kemPrekey = usesOneTime ? file["bob_one_time_kem_prekey"][..1184] : file["bob_bundle"][104..1288];
        var (kemCiphertext, kemSecret) = (new byte[1088], new byte[32]);
        Assert.True(MlKem768.TryEncapsulate(kemPrekey, kemCiphertext, kemSecret));
        var dh1 = Reference.Agree(file["alice_agreement_private"], signedPrekey);
        var dh2 = Reference.Agree(ephemeral, file["bob_identity"][32..]);
        var dh3 = Reference.Agree(ephemeral, signedPrekey);
        var dh4 = usesOneTime ? Reference.Agree(ephemeral, file["bob_one_time_prekey"]) : [];
        var keys = Reference.SessionKeys(dh1, dh2, dh3, dh4, kemSecret);
        var associatedData = Reference.AssociatedData(file["alice_identity"], file["bob_identity"], kemPrekey, kemCiphertext);
        var agreed = Reference.Agree(ratchet, signedPrekey);
        var step = Reference.StepRoot(keys.SharedKey, agreed, []);
        var (messageKey, _) = Reference.StepChain(step.ChainKey);
        var header = Reference.Header(Reference.X25519Public(ratchet), 0, 0, Reference.NoKemPart, []);
        var credentials = "credentials!"u8.ToArray();
        byte[] prefix =
        [
            2, 1,
            .. file["alice_identity"],
            .. file["bob_signed_prekey_id"],
            .. usesOneTime ? file["bob_one_time_prekey_id"] : new byte[4],
            (byte)(usesOneTime ? 2 : 1),
            .. file[usesOneTime ? "bob_one_time_kem_prekey_id" : "bob_kem_prekey_id"],
            .. baseKey,
            .. kemCiphertext,
            0, (byte)credentials.Length, .. credentials,
        ];

        file.Comment($"The message {(usesOneTime ? "with one-time prekeys" : "with the last-resort KEM prekey")}: Alice's ephemeral key and what PQXDH makes of it.");
        file.Add($"{start}_ephemeral_private", ephemeral);
        file.Add($"{start}_base_key", baseKey);
        file.Add($"{start}_kem_ciphertext", kemCiphertext);
        file.Add($"{start}_dh1", dh1);
        file.Add($"{start}_dh2", dh2);
        file.Add($"{start}_dh3", dh3);
        if (usesOneTime)
        {
            file.Add($"{start}_dh4", dh4);
        }

        file.Add($"{start}_kem_shared_secret", kemSecret);
        file.Add($"{start}_shared_key", keys.SharedKey);
        file.Add($"{start}_initiator_header_key", keys.InitiatorHeaderKey);
        file.Add($"{start}_responder_header_key", keys.ResponderHeaderKey);
        file.Add($"{start}_associated_data", associatedData);
        file.Comment("Alice's ratchet key, her first step of the root, the header in clear, and the envelope.");
        file.Add($"{start}_ratchet_private", ratchet);
        file.Add($"{start}_ratchet_dh", agreed);
        file.Add($"{start}_root_key", step.RootKey);
        file.Add($"{start}_chain_key", step.ChainKey);
        file.Add($"{start}_next_header_key", step.NextHeaderKey);
        file.Add($"{start}_message_key", messageKey);
        file.Add($"{start}_header", header);
        file.Add($"{start}_credentials", credentials);
        file.Add($"{start}_message_id", messageId);
        file.Add($"{start}_plaintext", plaintext);
        file.Add(
            $"{start}_envelope",
            Reference.Seal(
                messageKey, associatedData, messageId, prefix, Reference.SealHeader(keys.InitiatorHeaderKey, header), plaintext));
    }
}
