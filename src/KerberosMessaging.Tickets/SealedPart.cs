using System.Security.Cryptography;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Tickets;

internal static class SealedPart
{
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
        if (!TicketKeys.TryOpen(key, label, sealedData, associatedData, out var plaintext))
        {
            return null;
        }

        using (plaintext)
        {
            try
            {
                var reader = new WireReader(plaintext.Span);
                var fields = read(ref reader);
                reader.ExpectEnd();
                return fields;
            }
            catch (ProtocolException)
            {
                // Whoever sealed it knows the key, but may still have sealed nonsense: a client its authenticator, for one.
                return null;
            }
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
