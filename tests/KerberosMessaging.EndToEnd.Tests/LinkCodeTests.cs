using System.Security.Cryptography;
using System.Text;

namespace KerberosMessaging.EndToEnd.Tests;

public sealed class LinkCodeTests
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    private static readonly VectorFile Vector = VectorFile.Read("link-code.txt", Record);

    private static readonly byte[] Client = [.. Enumerable.Repeat((byte)1, 16)];
    private static readonly byte[] DeviceId = [.. Enumerable.Repeat((byte)2, 16)];
    private static readonly byte[] AccountKey = [.. Enumerable.Repeat((byte)3, 32)];

    private static PublicDeviceIdentity Identity(byte[] bytes)
    {
        Assert.True(PublicDeviceIdentity.TryRead(bytes, out var identity));
        return identity;
    }

    private static PublicDeviceIdentity Identity(byte seed) => Identity([.. Enumerable.Repeat(seed, 64)]);

    private static LinkCode Parse(string text)
    {
        Assert.True(LinkCode.TryParse(text, out var code));
        return code;
    }

    [Fact]
    public void A_code_is_eight_groups_of_five_characters_and_survives_being_copied()
    {
        for (var i = 0; i < 50; i++)
        {
            using var code = LinkCode.Create(Client, DeviceId, Identity(5));
            var text = code.Reveal();
            Assert.Matches("^[A-Z2-7]{5}(-[A-Z2-7]{5}){7}$", text);
            using var parsed = Parse(text);
            Assert.Equal(text, parsed.Reveal());
            Assert.Equal(code.Prove(AccountKey, Identity(5), Identity(6)), parsed.Prove(AccountKey, Identity(5), Identity(6)));
            Assert.Equal("[redacted]", parsed.ToString());
        }
    }

    [Fact]
    public void Two_codes_of_a_device_have_its_fingerprint_in_common_and_not_the_secret()
    {
        using var one = LinkCode.Create(Client, DeviceId, Identity(5));
        using var two = LinkCode.Create(Client, DeviceId, Identity(5));

        // The first 15 bytes are 24 characters, four full groups and four characters more.
        Assert.Equal(one.Reveal()[..28], two.Reveal()[..28]);
        Assert.NotEqual(one.Reveal()[28..], two.Reveal()[28..]);
    }

    [Fact]
    public void Case_spaces_hyphens_and_likely_mistakes_do_not_matter()
    {
        using var code = Parse("ABCDE-FGHIJ-KLMNO-PQRST-UVWXY-Z2345-67OIB-OOIIB");
        foreach (var text in new[]
        {
            "abcdefghijklmnopqrstuvwxyz234567oiboOiIb",
            "  ABCDE FGHIJ KLMNO PQRST\tUVWXY\r\nZ2345 67OIB OOIIB ",
            "abcde-fghij-klmno-pqrst-uvwxy-z2345-67018-00118",
            "A-B-C-D-E-F-G-H-I-J-K-L-M-N-O-P-Q-R-S-T-U-V-W-X-Y-Z-2-3-4-5-6-7-0-1-8-0-0-1-1-8---",
        })
        {
            using var typed = Parse(text);
            Assert.Equal(code.Reveal(), typed.Reveal());
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("-----")]
    [InlineData("ABCDE-FGHIJ-KLMNO-PQRST-UVWXY-Z2345-67OIB-OOII")]
    [InlineData("ABCDE-FGHIJ-KLMNO-PQRST-UVWXY-Z2345-67OIB-OOIIBA")]
    [InlineData("ABCDE-FGHIJ-KLMNO-PQRST-UVWXY-Z2345-67OIB-OOII9")]
    [InlineData("ABCDE-FGHIJ-KLMNO-PQRST-UVWXY-Z2345-67OIB-OOII=")]
    [InlineData("ABCDE-FGHIJ-KLMNO-PQRST-UVWXY-Z2345-67OIB-OOII\u0130")]
    [InlineData("ABCDE-FGHIJ-KLMNO-PQRST-UVWXY-Z2345-67OIB-OOII\0")]
    public void What_is_no_code_is_not_read(string text)
    {
        Assert.False(LinkCode.TryParse(text, out var code));
        Assert.Null(code);
    }

    [Fact]
    public void A_code_is_of_the_one_device_it_was_made_for()
    {
        using var code = LinkCode.Create(Client, DeviceId, Identity(5));
        Assert.True(code.IsOf(Client, DeviceId, Identity(5)));
        Assert.False(code.IsOf(DeviceId, Client, Identity(5)));
        Assert.False(code.IsOf(Client, Client, Identity(5)));
        Assert.False(code.IsOf(DeviceId, DeviceId, Identity(5)));
        for (var i = 0; i < 64; i++)
        {
            var bytes = Identity(5).ToBytes();
            bytes[i] ^= 0x40;
            Assert.False(code.IsOf(Client, DeviceId, Identity(bytes)));
        }
    }

    [Fact]
    public void A_code_with_any_character_of_its_fingerprint_changed_is_of_no_device_and_with_any_other_changed_proves_nothing()
    {
        using var code = LinkCode.Create(Client, DeviceId, Identity(5));
        var characters = code.Reveal().Replace("-", "", StringComparison.Ordinal).ToCharArray();
        var proof = code.Prove(AccountKey, Identity(5), Identity(6));
        for (var i = 0; i < characters.Length; i++)
        {
            var good = characters[i];
            characters[i] = Alphabet[(Alphabet.IndexOf(good, StringComparison.Ordinal) + 1) % 32];
            using var changed = Parse(new string(characters));
            characters[i] = good;
            var isInFingerprint = i < 24;
            Assert.NotEqual(isInFingerprint, changed.IsOf(Client, DeviceId, Identity(5)));
            Assert.Equal(isInFingerprint, changed.Prove(AccountKey, Identity(5), Identity(6)).AsSpan().SequenceEqual(proof));
        }
    }

    [Fact]
    public void A_proof_is_of_one_account_key_and_two_devices()
    {
        using var code = LinkCode.Create(Client, DeviceId, Identity(5));
        using var other = LinkCode.Create(Client, DeviceId, Identity(5));
        var otherKey = AccountKey.ToArray();
        otherKey[31] ^= 1;
        byte[][] proofs =
        [
            code.Prove(AccountKey, Identity(5), Identity(6)),
            code.Prove(AccountKey, Identity(6), Identity(5)),
            code.Prove(AccountKey, Identity(5), Identity(5)),
            code.Prove(AccountKey, Identity(5), Identity(7)),
            code.Prove(otherKey, Identity(5), Identity(6)),
            other.Prove(AccountKey, Identity(5), Identity(6)),
        ];
        Assert.All(proofs, proof => Assert.Equal(LinkCode.ProofSize, proof.Length));
        Assert.Equal(proofs.Length, proofs.Select(Convert.ToHexString).Distinct().Count());
    }

    [Fact]
    public void The_recorded_code_is_what_the_description_says()
    {
        var fingerprint = SHA512.HashData(
            [.. "kmsg/25 link code"u8, 0, .. Vector["client_id"], .. Vector["device_id"], .. Vector["new_identity"]])[..15];
        Vector.Matches("fingerprint", fingerprint);
        Vector.Matches("code", Encoding.ASCII.GetBytes(Base32([.. fingerprint, .. Vector["secret"]])));
        byte[] proved =
            [.. "kmsg/25 link proof"u8, 0, .. Vector["account_key"], .. Vector["new_identity"], .. Vector["linking_identity"]];
        Vector.Matches("proof", HMACSHA256.HashData(Vector["secret"], proved));
    }

    [Fact]
    public void The_library_reads_the_recorded_code()
    {
        using var code = Parse(Encoding.ASCII.GetString(Vector["code"]));
        Vector.Matches("code", Encoding.ASCII.GetBytes(code.Reveal()));
        Assert.True(code.IsOf(Vector["client_id"], Vector["device_id"], Identity(Vector["new_identity"])));
        Vector.Matches(
            "proof", code.Prove(Vector["account_key"], Identity(Vector["new_identity"]), Identity(Vector["linking_identity"])));
    }

    /// <summary>RFC 4648, section 6, bit by bit, in groups of five.</summary>
    private static string Base32(byte[] bytes)
    {
        var bits = string.Concat(bytes.Select(b => Convert.ToString(b, 2).PadLeft(8, '0')));
        var text = string.Concat(bits.Chunk(5).Select(chunk => Alphabet[Convert.ToInt32(new string(chunk), 2)]));
        return string.Join('-', text.Chunk(5).Select(group => new string(group)));
    }

    private static void Record(VectorFile file)
    {
        using var newDevice = new Device();
        using var linkingDevice = new Device();
        var (client, device, accountKey) =
            (RandomNumberGenerator.GetBytes(16), RandomNumberGenerator.GetBytes(16), RandomNumberGenerator.GetBytes(32));
        using var code = LinkCode.Create(client, device, newDevice.Public);
        var text = code.Reveal();
        var bits = string.Concat(text.Where(character => character != '-')
            .Select(character => Convert.ToString(Alphabet.IndexOf(character, StringComparison.Ordinal), 2).PadLeft(5, '0')));
        byte[] bytes = [.. bits.Chunk(8).Select(chunk => Convert.ToByte(new string(chunk), 2))];
        file.Comment("The code by which a device is linked, and the proof that the other device was given it. Nothing here is used anywhere else.");
        file.Comment("The new device, and the fingerprint of its identity.");
        file.Add("client_id", client);
        file.Add("device_id", device);
        file.Add("new_identity", newDevice.Public.ToBytes());
        file.Add("fingerprint", bytes[..15]);
        file.Comment($"The secret, and the code in ASCII:\n{text}");
        file.Add("secret", bytes[15..]);
        file.Add("code", Encoding.ASCII.GetBytes(text));
        file.Comment("The proof of the device that links.");
        file.Add("account_key", accountKey);
        file.Add("linking_identity", linkingDevice.Public.ToBytes());
        file.Add("proof", code.Prove(accountKey, newDevice.Public, linkingDevice.Public));
    }
}
