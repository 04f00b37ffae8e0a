using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace KerberosMessaging.Cryptography;

/// <summary>
/// The server's side of one login between KE2 and KE3 (RFC 9807 section 6). Not safe for several threads at once.
/// </summary>
public sealed class OpaqueServerLogin : IDisposable
{
    private readonly SecretBytes _expectedKe3;
    private readonly SecretBytes _sessionKey;
    private bool _finished;

    internal OpaqueServerLogin(byte[] ke2, SecretBytes expectedKe3, SecretBytes sessionKey)
    {
        Ke2 = ke2;
        _expectedKe3 = expectedKe3;
        _sessionKey = sessionKey;
    }

    /// <summary>The message for the client, 320 bytes.</summary>
    public ReadOnlyMemory<byte> Ke2 { get; }

    /// <summary>
    /// Finishes the login (RFC 9807 section 6.2.4). It can be tried once: whatever the outcome, the keys held here
    /// are erased, and the client must begin again.
    /// </summary>
    /// <param name="ke3">The client's proof; any bytes are allowed.</param>
    /// <param name="sessionKey">The session key, 64 bytes, owned by the caller, or null on failure.</param>
    /// <returns>False where the client has not proved the password, or this login was already finished.</returns>
    /// <exception cref="ObjectDisposedException">This object was disposed before it was finished.</exception>
    public bool TryFinish(ReadOnlySpan<byte> ke3, [NotNullWhen(true)] out SecretBytes? sessionKey)
    {
        sessionKey = null;
        if (_finished)
        {
            return false;
        }

        if (CryptographicOperations.FixedTimeEquals(ke3, _expectedKe3.Span))
        {
            sessionKey = _sessionKey.Clone();
        }

        _finished = true;
        Dispose();
        return sessionKey is not null;
    }

    /// <summary>Erases the keys held here; a session key already handed out lives on.</summary>
    public void Dispose()
    {
        _expectedKe3.Dispose();
        _sessionKey.Dispose();
    }

    /// <summary>Never shows the keys.</summary>
    /// <returns>The text <c>[redacted]</c>.</returns>
    public override string ToString() => Redacted.Text;
}
