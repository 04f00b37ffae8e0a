namespace KerberosMessaging.Cryptography;

/// <summary>What a registration gives the client.</summary>
public sealed class OpaqueRegistrationResult : IDisposable
{
    internal OpaqueRegistrationResult(byte[] record, SecretBytes exportKey)
    {
        Record = record;
        ExportKey = exportKey;
    }

    /// <summary>
    /// The record for the server to store, 192 bytes (RFC 9807 section 5.1). It must travel over an authenticated
    /// and encrypted channel: with it and the server's OPRF seed, passwords can be tried.
    /// </summary>
    public byte[] Record { get; }

    /// <summary>A key only this password and this server give again, 64 bytes; disposed with this object.</summary>
    public SecretBytes ExportKey { get; }

    /// <summary>Erases the export key.</summary>
    public void Dispose() => ExportKey.Dispose();

    /// <summary>Never shows the keys.</summary>
    /// <returns>The text <c>[redacted]</c>.</returns>
    public override string ToString() => Redacted.Text;
}
