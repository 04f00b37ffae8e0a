using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>A login between its steps. A name that does not exist has no client here, and no KE3 proves anything.</summary>
internal sealed class PendingLogin(
    LoginClient? client, StretchingParameters stretching, OpaqueServerLogin opaque, LoginAttempt attempt) : IDisposable
{
    private byte[]? _ke3;
    private SecretBytes? _sessionKey;

    public LoginClient? Client { get; } = client;

    public StretchingParameters Stretching => stretching;

    public ReadOnlyMemory<byte> Ke2 => opaque.Ke2;

    public LoginAttempt Attempt => attempt;

    /// <summary>Whether KE3 proves the password. Only the first KE3 is tried; the same one may be shown again.</summary>
    /// <param name="ke3">The client's proof.</param>
    /// <param name="sessionKey">OPAQUE's session key, which stays this login's.</param>
    [MemberNotNullWhen(true, nameof(Client))]
    public bool TryProve(byte[] ke3, [NotNullWhen(true)] out SecretBytes? sessionKey)
    {
        if (_ke3 is null && opaque.TryFinish(ke3, out _sessionKey))
        {
            attempt.Succeed();
        }

        _ke3 ??= ke3;
        sessionKey = CryptographicOperations.FixedTimeEquals(ke3, _ke3) ? _sessionKey : null;
        return sessionKey is not null && Client is not null;
    }

    /// <summary>A login that was not finished by then counts as failed: its challenge was good for one guess.</summary>
    public void Dispose()
    {
        opaque.Dispose();
        _sessionKey?.Dispose();
        attempt.Dispose();
    }
}
