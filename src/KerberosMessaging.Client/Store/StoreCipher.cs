using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.Client.Store;

/// <summary>
/// Seals the values of the local store with A256CBC-HS512 under the store key. Table and row are bound in as associated
/// data, so that a value moved to another place does not open there.
/// </summary>
internal sealed class StoreCipher(SecretBytes storeKey) : IDisposable
{
    private const string TagLabel = "kmsg/25 store tags";

    public byte[] Seal(string place, ReadOnlySpan<byte> row, ReadOnlySpan<byte> plaintext) =>
        AuthenticatedCbc.Seal(storeKey.Span, plaintext, AssociatedData(place, row));

    /// <exception cref="CryptographicException">The value was changed, moved, or sealed under another key.</exception>
    public SecretBytes Open(string place, ReadOnlySpan<byte> row, ReadOnlySpan<byte> sealedValue) =>
        TryOpen(place, row, sealedValue) ?? throw new CryptographicException("A value of the local store does not verify.");

    /// <summary>Opens a value; null when it was changed, moved, or sealed under another key.</summary>
    public SecretBytes? TryOpen(string place, ReadOnlySpan<byte> row, ReadOnlySpan<byte> sealedValue)
    {
        if (!AuthenticatedCbc.TryOpen(storeKey.Span, sealedValue, AssociatedData(place, row), out var plaintext))
        {
            return null;
        }

        var secret = new SecretBytes(plaintext);
        CryptographicOperations.ZeroMemory(plaintext);
        return secret;
    }

    /// <summary>
    /// What a value is looked up by where it is itself sealed: HMAC-SHA-256 under a key of the place's own, which the store key
    /// gives. The same value has the same tag, and without the store key it tells nothing.
    /// </summary>
    /// <returns>32 bytes.</returns>
    public byte[] Tag(string place, ReadOnlySpan<byte> value)
    {
        Span<byte> key = stackalloc byte[HMACSHA256.HashSizeInBytes];
        KeyDerivation.Expand(storeKey.Span, TagLabel, Encoding.ASCII.GetBytes(place), key);
        var tag = HMACSHA256.HashData(key, value);
        CryptographicOperations.ZeroMemory(key);
        return tag;
    }

    public SecretBytes CopyKey() => storeKey.Clone();

    public void Dispose() => storeKey.Dispose();

    private static byte[] AssociatedData(string place, ReadOnlySpan<byte> row)
    {
        var placeBytes = Encoding.ASCII.GetBytes(place);
        var data = new byte[2 + placeBytes.Length + row.Length];
        BinaryPrimitives.WriteUInt16BigEndian(data, (ushort)placeBytes.Length);
        placeBytes.CopyTo(data, 2);
        row.CopyTo(data.AsSpan(2 + placeBytes.Length));
        return data;
    }
}
