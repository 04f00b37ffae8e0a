namespace KerberosMessaging.Cryptography;

/// <summary>What a login gives the client once the server has proved itself.</summary>
public sealed class OpaqueLoginResult : IDisposable
{
    internal OpaqueLoginResult(byte[] ke3, SecretBytes sessionKey, SecretBytes exportKey)
    {
        Ke3 = ke3;
        SessionKey = sessionKey;
        ExportKey = exportKey;
    }

    /// <summary>The proof for the server, 64 bytes (RFC 9807 section 6.1).</summary>
    public byte[] Ke3 { get; }

    /// <summary>The key shared with the server, 64 bytes; disposed with this object.</summary>
    public SecretBytes SessionKey { get; }

    /// <summary>The export key of the registration, 64 bytes; disposed with this object.</summary>
    public SecretBytes ExportKey { get; }

    /// <summary>Erases both keys.</summary>
    public void Dispose()
    {
        SessionKey.Dispose();
        ExportKey.Dispose();
    }

    /// <summary>Never shows the keys.</summary>
    /// <returns>The text <c>[redacted]</c>.</returns>
    public override string ToString() => Redacted.Text;
}
