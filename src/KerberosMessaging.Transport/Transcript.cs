using System.Security.Cryptography;

namespace KerberosMessaging.Transport;

/// <summary>
/// The hash of a handshake as far as it has come: SHA-512 over a label, the client hello frame and the server hello frame.
/// The server signs it before its signature is appended, and the keys follow from it afterwards.
/// </summary>
internal sealed class Transcript : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA512);

    public Transcript(ReadOnlySpan<byte> clientHello)
    {
        _hash.AppendData("kmsg/25 handshake\0"u8);
        _hash.AppendData(clientHello);
    }

    public void Append(ReadOnlySpan<byte> serverHello) => _hash.AppendData(serverHello);

    /// <summary>The hash of what there is so far; more can follow.</summary>
    public byte[] CurrentHash() => _hash.GetCurrentHash();

    public void Dispose() => _hash.Dispose();
}
