using System.Security.Cryptography;
using System.Xml.Linq;

namespace KerberosMessaging.Hosting.Startup;

/// <summary>How a secret element of the key ring is stored: its XML, sealed under the master key, in base64.</summary>
internal static class MasterKeyXml
{
    /// <summary>The element that holds the base64.</summary>
    public static readonly XName ElementName = "sealedUnderMasterKey";

    // A key with its whole description takes less than 1 KiB: the stream does not grow, and so leaves no copy behind.
    private const int Capacity = 16 * 1024;

    /// <summary>The associated data of a sealed element.</summary>
    public static ReadOnlySpan<byte> Purpose => "kmsg/25 key ring element"u8;

    /// <summary>Seals an element.</summary>
    public static XElement Seal(MasterKey key, XElement secret)
    {
        using var stream = new MemoryStream(Capacity);
        try
        {
            secret.Save(stream, SaveOptions.DisableFormatting);
            return Seal(key, stream.GetBuffer().AsSpan(0, (int)stream.Length));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(stream.GetBuffer());
        }
    }

    /// <summary>Seals an element's XML.</summary>
    public static XElement Seal(MasterKey key, ReadOnlySpan<byte> secret) =>
        new(ElementName, Convert.ToBase64String(key.Seal(secret, Purpose)));

    /// <summary>Opens a sealed element.</summary>
    /// <exception cref="CryptographicException">It was not sealed under this key.</exception>
    public static XElement Open(MasterKey key, XElement sealedSecret)
    {
        var secret = key.Open(Bytes(sealedSecret), Purpose)
            ?? throw new CryptographicException("An element of the key ring was not sealed under this master key.");
        try
        {
            using var stream = new MemoryStream(secret, writable: false);
            return XElement.Load(stream);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
    }

    /// <summary>The sealed bytes; none, which no key opens, where the element does not hold base64.</summary>
    public static byte[] Bytes(XElement sealedSecret)
    {
        var bytes = new byte[sealedSecret.Value.Length];
        return Convert.TryFromBase64String(sealedSecret.Value, bytes, out var written) ? bytes[..written] : [];
    }
}
