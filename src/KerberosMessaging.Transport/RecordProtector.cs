using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Transport;

/// <summary>
/// One direction of a channel: A256CBC-HS512 records (RFC 7518, section 5.2.5) whose associated data are the 27 bytes in
/// front and a 64-bit sequence number that is never sent. A record that is replayed, reordered, dropped or reflected
/// therefore fails like a forged one. Random initialisation vectors are safe here because a key ends after 2^20 records.
/// </summary>
internal sealed class RecordProtector : IDisposable
{
    public const int RecordsPerKey = 1 << 20;
    public const long BytesPerKey = 1L << 30;

    private const string RecordKeyLabel = "kmsg/25 record key";
    private const string RekeyLabel = "kmsg/25 rekey";

    private readonly SecretBytes _secret;
    private readonly int _recordsPerKey;
    private readonly long _bytesPerKey;
    private AuthenticatedCbc _cipher;
    private ulong _sequence;
    private int _records;
    private long _bytes;

    public RecordProtector(SecretBytes secret, int recordsPerKey = RecordsPerKey, long bytesPerKey = BytesPerKey)
    {
        _secret = secret;
        _recordsPerKey = recordsPerKey;
        _bytesPerKey = bytesPerKey;
        UseRecordKey();
    }

    /// <summary>Seals a payload behind its 27 bytes.</summary>
    /// <param name="header">The bytes in front, already written.</param>
    /// <param name="plaintext">The payload.</param>
    /// <param name="destination">Exactly <see cref="AuthenticatedCbc.SealedLength"/> bytes.</param>
    public void Seal(ReadOnlySpan<byte> header, ReadOnlySpan<byte> plaintext, Span<byte> destination)
    {
        Span<byte> associated = stackalloc byte[FrameHeader.Size + sizeof(ulong)];
        _cipher.Seal(plaintext, AssociatedData(header, associated), destination);
        Count(destination.Length);
    }

    /// <summary>Opens a sealed payload. False for every cause of failure; the channel must end then.</summary>
    public bool TryOpen(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload, Span<byte> destination, out int written)
    {
        Span<byte> associated = stackalloc byte[FrameHeader.Size + sizeof(ulong)];
        if (!_cipher.TryOpen(payload, AssociatedData(header, associated), destination, out written))
        {
            return false;
        }

        Count(payload.Length);
        return true;
    }

    /// <summary>Mixes a ticket's session key into the secret: both sides prove that they know it by going on.</summary>
    public void Mix(ReadOnlySpan<byte> sessionKey)
    {
        Span<byte> mixed = stackalloc byte[KeySchedule.SecretSize];
        KeyDerivation.Extract(_secret.Span, sessionKey, mixed);
        Replace(mixed);
    }

    public void Dispose()
    {
        _cipher.Dispose();
        _secret.Dispose();
    }

    private ReadOnlySpan<byte> AssociatedData(ReadOnlySpan<byte> header, Span<byte> buffer)
    {
        header[..FrameHeader.Size].CopyTo(buffer);
        BinaryPrimitives.WriteUInt64BigEndian(buffer[FrameHeader.Size..], _sequence);
        return buffer;
    }

    private void Count(int length)
    {
        _sequence++;
        _bytes += length;
        if (++_records < _recordsPerKey && _bytes < _bytesPerKey)
        {
            return;
        }

        Span<byte> next = stackalloc byte[KeySchedule.SecretSize];
        KeyDerivation.Expand(_secret.Span, RekeyLabel, next);
        Replace(next);
    }

    // Zeroes what it is given.
    private void Replace(Span<byte> secret)
    {
        secret.CopyTo(_secret.Span);
        CryptographicOperations.ZeroMemory(secret);
        UseRecordKey();
    }

    [MemberNotNull(nameof(_cipher))]
    private void UseRecordKey()
    {
        Span<byte> key = stackalloc byte[AuthenticatedCbc.KeySize];
        KeyDerivation.Expand(_secret.Span, RecordKeyLabel, key);
        _cipher?.Dispose();
        _cipher = new AuthenticatedCbc(key);
        CryptographicOperations.ZeroMemory(key);
        _records = 0;
        _bytes = 0;
    }
}
