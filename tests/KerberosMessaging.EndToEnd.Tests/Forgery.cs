using System.Security.Cryptography;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd.Tests;

/// <summary>Authentic envelopes that break the protocol: what only the peer itself can make, whose program is at fault or hostile.</summary>
internal static class Forgery
{
    /// <summary>X25519 public keys of low order (RFC 7748, sections 6.1 and 7), which make every agreement all zero.</summary>
    public static readonly TheoryData<string> LowOrderKeys =
    [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ];

    /// <summary>An encapsulation key whose last coefficient is q = 3329, the smallest that FIPS 203, section 7.2 refuses.</summary>
    public static byte[] UnusableKemKey()
    {
        using var good = MlKem768PrivateKey.Generate();
        var key = good.PublicKey.ToArray();
        key[1150] = (byte)((key[1150] & 0x0F) | ((3329 & 0x0F) << 4));
        key[1151] = 3329 >> 4;
        return key;
    }

    /// <summary>The next message of the chain that the sender is in.</summary>
    public static byte[] InThisChain(SessionView sender, byte[]? ratchetKey = null, uint? number = null, byte[]? unpadded = null)
    {
        var sending = sender.Sending!;
        var (messageKey, _) = Reference.StepChain(sending.ChainKey);
        var header = Reference.Header(
            ratchetKey ?? sending.RatchetPublic,
            sender.PreviousChainLength,
            number ?? sending.Sent,
            sending.KemPartKind,
            sending.KemPart);
        return Seal(sender, messageKey, sending.HeaderKey, header, unpadded);
    }

    /// <summary>The first message of a chain that the sender has yet to begin.</summary>
    public static byte[] InNextChain(
        SessionView sender, byte[]? ratchetKey = null, byte kemPartKind = 0, byte[]? kemPart = null, byte[]? kemSecret = null, uint? previous = null)
    {
        var ownRatchet = RandomNumberGenerator.GetBytes(32);
        var (_, chainKey, _) = Reference.StepRoot(sender.RootKey, Reference.Agree(ownRatchet, sender.PeerRatchetKey), kemSecret ?? []);
        var (messageKey, _) = Reference.StepChain(chainKey);
        var header = Reference.Header(
            ratchetKey ?? Reference.X25519Public(ownRatchet), previous ?? sender.PreviousChainLength, 0, kemPartKind, kemPart ?? []);
        return Seal(sender, messageKey, sender.NextSendingHeaderKey, header, unpadded: null);
    }

    private static byte[] Seal(SessionView sender, byte[] messageKey, byte[] headerKey, byte[] header, byte[]? unpadded)
    {
        byte[] prefix = sender.PrekeyHeader.Length == 0 ? [2, 2] : [2, 1, .. sender.PrekeyHeader];
        return Reference.Seal(
            messageKey,
            sender.AssociatedData,
            Device.MessageId,
            prefix,
            Reference.SealHeader(headerKey, header),
            unpadded ?? "forged"u8.ToArray(),
            pad: unpadded is null);
    }
}
