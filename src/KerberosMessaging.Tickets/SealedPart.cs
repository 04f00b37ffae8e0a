using System.Security.Cryptography;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Tickets;

internal static class SealedPart
{
    // Tickets and sealed parts alike.
    private const int LargestSealed = ProtocolLimits.SealedPartBytes;

    /// <summary>Reads the fields of something that was sealed; null for a format that is not known.</summary>
    public delegate T? FieldsReader<out T>(ref WireReader reader)
        where T : class;

    /// <summary>Opens something sealed and reads all its fields; null for every cause of failure.</summary>
    public static T? TryOpen<T>(
        ReadOnlySpan<byte> key,
        string label,
        ReadOnlySpan<byte> sealedData,
        ReadOnlySpan<byte> associatedData,
        FieldsReader<T> read)
        where T : class
    {
        if (sealedData.Length > LargestSealed)
        {
            return null;
        }

        Span<byte> buffer = stackalloc byte[LargestSealed];
        buffer = buffer[..sealedData.Length];
        try
        {
            if (!TicketKeys.TryOpen(key, label, sealedData, associatedData, buffer, out var written))
            {
                return null;
            }

            var reader = new WireReader(buffer[..written]);
            var fields = read(ref reader);
            reader.ExpectEnd();
            return fields;
        }
        catch (ProtocolException)
        {
            // Whoever sealed it knows the key, but may still have sealed nonsense: a client its authenticator, for one.
            return null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(buffer);
        }
    }

    public static SecretBytes ReadSecret(ref WireReader reader, int size)
    {
        var bytes = reader.ReadFixed(size);
        var secret = new SecretBytes(bytes);
        CryptographicOperations.ZeroMemory(bytes);
        return secret;
    }
}
