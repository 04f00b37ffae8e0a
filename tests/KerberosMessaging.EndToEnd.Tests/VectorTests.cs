using System.Text;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd.Tests;

/// <summary>
/// A recorded exchange: Alice starts a session, Bob answers. The library must go on reading it, and so must
/// <see cref="Reference"/>, which also checks every value on the way.
/// </summary>
public sealed class VectorTests
{
    private static readonly Dictionary<string, byte[]> Vector = File
        .ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Vectors", "conversation.txt"))
        .Where(line => line.Length > 0 && line[0] != '#')
        .Select(line => line.Split(" = "))
        .ToDictionary(parts => parts[0], parts => Convert.FromHexString(parts[1]));

    private static byte[] AliceSecret => Vector["alice_identity_secrets"];

    private static byte[] BobSecret => Vector["bob_identity_secrets"];

    private static PublicDeviceIdentity Public(string name)
    {
        Assert.True(PublicDeviceIdentity.TryRead(Vector[name], out var identity));
        return identity;
    }

    [Fact]
    public void The_library_reads_the_recorded_exchange()
    {
        using var bob = DeviceIdentity.Import([1, .. BobSecret]);
        using var prekeys = DevicePrekeys.Import(BobPrekeys());
        Assert.Equal(Public("bob_identity"), bob.Public);
        Assert.Equal(Vector["bob_bundle"], prekeys.Bundle.ToBytes());
        using var bobSessions = PeerSessions.Create();
        Assert.Equal(
            DecryptResult.Ok,
            bobSessions.Decrypt(bob, prekeys, Public("alice_identity"), Vector["first_envelope"], out var first));
        Assert.Equal(Vector["first_plaintext"], first);

        using var alice = DeviceIdentity.Import([1, .. AliceSecret]);
        using var alicePrekeys = DevicePrekeys.Generate(alice);
        using var aliceSessions = PeerSessions.Import(Vector["alice_state"]);
        Assert.Equal(
            DecryptResult.Ok,
            aliceSessions.Decrypt(alice, alicePrekeys, Public("bob_identity"), Vector["answer_envelope"], out var answer));
        Assert.Equal(Vector["answer_plaintext"], answer);
    }

    [Fact]
    public void The_description_alone_reads_the_recorded_exchange()
    {
        var envelope = Vector["first_envelope"];
        var signedPrekey = Vector["bob_signed_prekey_secret"];
        var aliceAgreement = Vector["alice_identity"][32..];
        var baseKey = envelope[74..106];
        var kemCiphertext = envelope[106..1194];

        var dh1 = Reference.Agree(signedPrekey, aliceAgreement);
        var dh2 = Reference.Agree(BobSecret[32..], baseKey);
        var dh3 = Reference.Agree(signedPrekey, baseKey);
        using var kem = MlKem768PrivateKey.FromSeed(Vector["bob_kem_prekey_seed"]);
        var kemSecret = new byte[32];
        Assert.True(kem.TryDecapsulate(kemCiphertext, kemSecret));
        Matches("dh1", dh1);
        Matches("dh2", dh2);
        Matches("dh3", dh3);
        Matches("kem_shared_secret", kemSecret);

        var sharedKey = Reference.SharedKey(dh1, dh2, dh3, kemSecret);
        var associatedData = Reference.AssociatedData(
            Vector["alice_identity"],
            Vector["bob_identity"],
            kem.PublicKey.ToArray(),
            kemCiphertext);
        Matches("shared_key", sharedKey);
        Matches("associated_data", associatedData);

        // The certificate is 12 bytes, so the ratchet header begins at 2 + 1194 + 12.
        var header = 2 + EnvelopeFormat.PrekeyHeaderSize + 12;
        var ratchetKey = envelope[header..(header + 32)];
        var (rootKey, chainKey) = Reference.StepRoot(sharedKey, Reference.Agree(signedPrekey, ratchetKey));
        var (messageKey, _) = Reference.StepChain(chainKey);
        Matches("first_root_key", rootKey);
        Matches("first_chain_key", chainKey);
        Matches("first_message_key", messageKey);
        Assert.Equal(Vector["first_plaintext"], Reference.Open(messageKey, associatedData, envelope, header + 40));

        var answer = Vector["answer_envelope"];
        var (answerRootKey, answerChainKey) =
            Reference.StepRoot(rootKey, Reference.Agree(Vector["alice_ratchet_secret"], answer[2..34]));
        var (answerMessageKey, _) = Reference.StepChain(answerChainKey);
        Matches("answer_root_key", answerRootKey);
        Matches("answer_chain_key", answerChainKey);
        Matches("answer_message_key", answerMessageKey);
        Assert.Equal(Vector["answer_plaintext"], Reference.Open(answerMessageKey, associatedData, answer, 42));
    }

    [Fact]
    public void The_bundle_is_signed_as_described()
    {
        var bundle = Vector["bob_bundle"];
        var signer = Vector["bob_identity"][..32];
        byte[] signedPrekey = [.. "kmsg/25 signed prekey"u8, 0, .. bundle.AsSpan(0, 36)];
        byte[] kemPrekey = [.. "kmsg/25 kem prekey"u8, 0, .. bundle.AsSpan(100, 1188)];
        Assert.True(Ed25519.Verify(signer, signedPrekey, bundle.AsSpan(36, 64)));
        Assert.True(Ed25519.Verify(signer, kemPrekey, bundle.AsSpan(1288)));
    }

    [Fact]
    public void An_authentic_message_with_bad_padding_is_malformed_and_changes_nothing()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            // An established session without prekey header: 2 bytes of the record, 37 of the session before its associated
            // data, 301 before the ratchet state, where the sending chain key is the third field.
            var state = alice.State();
            var associatedData = state.AsSpan(2 + 37, Pqxdh.AssociatedDataSize).ToArray();
            var chainKey = state.AsSpan(2 + 301 + 64, 32).ToArray();
            var good = alice.Send("good");
            var (messageKey, _) = Reference.StepChain(chainKey);
            Assert.Equal("good", Encoding.ASCII.GetString(Reference.Open(messageKey, associatedData, good, 42)));

            var bad = Reference.SealUnpadded(messageKey, associatedData, good[..42], new byte[16]);
            bob.MustRefuse(alice, bad, DecryptResult.Malformed);
            bob.MustRead(alice, good, "good");
        }
    }

    private static void Matches(string name, byte[] value) =>
        Assert.Equal(Convert.ToHexStringLower(Vector[name]), Convert.ToHexStringLower(value));

    private static byte[] BobPrekeys()
    {
        var bundle = Vector["bob_bundle"];
        return
        [
            1,
            .. bundle[..4], .. Vector["bob_signed_prekey_secret"], .. bundle[100..104], .. Vector["bob_kem_prekey_seed"],
            .. bundle[36..100], .. bundle[1288..],
            0,
        ];
    }
}
