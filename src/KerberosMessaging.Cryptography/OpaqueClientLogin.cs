using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace KerberosMessaging.Cryptography;

/// <summary>The client's side of one login (RFC 9807 section 6). Not safe for several threads at once.</summary>
public sealed class OpaqueClientLogin : IDisposable
{
    private readonly SecretBytes _password;
    private readonly SecretBytes _blind;
    private readonly SecretBytes _keyshare = new(Ristretto255Group.ScalarSize);
    private readonly byte[] _ke1 = new byte[Opaque.Ke1Size];
    private bool _finished;

    private OpaqueClientLogin(
        SecretBytes password, SecretBytes blind, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> keyshareSeed)
    {
        _password = password;
        _blind = blind;
        Oprf.Blind(password.Span, blind.Span, _ke1.AsSpan(0, Ristretto255Group.ElementSize));
        nonce.CopyTo(_ke1.AsSpan(Ristretto255Group.ElementSize));
        OpaqueKeys.DeriveKeyPair(keyshareSeed, _keyshare.Span, _ke1.AsSpan(^Opaque.PublicKeySize..));
    }

    /// <summary>The first message for the server, 96 bytes.</summary>
    public ReadOnlyMemory<byte> Ke1 => _ke1;

    /// <summary>Begins a login (RFC 9807 section 6.2.1).</summary>
    /// <param name="password">The password's bytes, at most 65,535; they are copied.</param>
    /// <returns>A login owned by the caller.</returns>
    /// <exception cref="ArgumentException">The password is too long.</exception>
    public static OpaqueClientLogin Start(ReadOnlySpan<byte> password)
    {
        Span<byte> blind = stackalloc byte[Ristretto255Group.ScalarSize];
        Span<byte> nonce = stackalloc byte[Opaque.NonceSize];
        Span<byte> keyshareSeed = stackalloc byte[Oprf.SeedSize];
        Ristretto255Group.RandomScalar(blind);
        RandomNumberGenerator.Fill(nonce);
        RandomNumberGenerator.Fill(keyshareSeed);
        try
        {
            return Start(password, blind, nonce, keyshareSeed);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(blind);
            CryptographicOperations.ZeroMemory(keyshareSeed);
        }
    }

    /// <summary>
    /// Finishes the login (RFC 9807 section 6.2.3). A well-formed answer can be tried once: whether the password was
    /// right or wrong, it is erased then, and another attempt needs a new login.
    /// </summary>
    /// <param name="ke2">The server's message; any bytes are allowed.</param>
    /// <param name="stretching">The stretching of the registration, as the server tells it.</param>
    /// <param name="serverIdentity">The server's identity given at registration; empty for its public key.</param>
    /// <param name="clientIdentity">The client's identity given at registration; empty for its public key.</param>
    /// <param name="context">What the application binds the login to, at most 65,535 bytes.</param>
    /// <param name="result">The proof for the server and the keys, or null on failure.</param>
    /// <returns>
    /// False where the password is wrong, the message is forged or malformed, the stretching is not
    /// <see cref="StretchingParameters.IsAcceptable"/>, or this login was already finished.
    /// </returns>
    /// <exception cref="ArgumentException">An identity or the context is too long.</exception>
    /// <exception cref="ObjectDisposedException">This object was disposed before it was finished.</exception>
    public bool TryFinish(
        ReadOnlySpan<byte> ke2,
        StretchingParameters stretching,
        ReadOnlySpan<byte> serverIdentity,
        ReadOnlySpan<byte> clientIdentity,
        ReadOnlySpan<byte> context,
        [NotNullWhen(true)] out OpaqueLoginResult? result)
    {
        result = null;
        return stretching.IsAcceptable
            && TryFinishUnchecked(ke2, stretching, serverIdentity, clientIdentity, context, out result);
    }

    /// <summary>Erases the password and the ephemeral secrets.</summary>
    public void Dispose()
    {
        _password.Dispose();
        _blind.Dispose();
        _keyshare.Dispose();
    }

    /// <summary>Never shows the password.</summary>
    /// <returns>The text <c>[redacted]</c>.</returns>
    public override string ToString() => Redacted.Text;

    /// <summary>The form with given randomness, for published test vectors.</summary>
    internal static OpaqueClientLogin Start(
        ReadOnlySpan<byte> password,
        ReadOnlySpan<byte> blind,
        ReadOnlySpan<byte> nonce,
        ReadOnlySpan<byte> keyshareSeed)
    {
        Require.FitsTwoByteLength(password);
        return new OpaqueClientLogin(new SecretBytes(password), new SecretBytes(blind), nonce, keyshareSeed);
    }

    /// <summary>The form that accepts any stretching, for published test vectors.</summary>
    internal bool TryFinishUnchecked(
        ReadOnlySpan<byte> ke2,
        StretchingParameters stretching,
        ReadOnlySpan<byte> serverIdentity,
        ReadOnlySpan<byte> clientIdentity,
        ReadOnlySpan<byte> context,
        [NotNullWhen(true)] out OpaqueLoginResult? result)
    {
        Require.FitsTwoByteLength(serverIdentity);
        Require.FitsTwoByteLength(clientIdentity);
        Require.FitsTwoByteLength(context);
        result = null;
        if (_finished || ke2.Length != Opaque.Ke2Size)
        {
            return false;
        }

        using var exportKey = new SecretBytes(Opaque.ExportKeySize);
        using var sessionKey = new SecretBytes(Opaque.SessionKeySize);
        var ke3 = new byte[Opaque.Ke3Size];
        var succeeded = TryFinishOnce(
            ke2, stretching, serverIdentity, clientIdentity, context, ke3, sessionKey.Span, exportKey.Span);
        _finished = true;
        Dispose();
        if (succeeded)
        {
            result = new OpaqueLoginResult(ke3, sessionKey.Clone(), exportKey.Clone());
        }

        return succeeded;
    }

    private bool TryFinishOnce(
        ReadOnlySpan<byte> ke2,
        StretchingParameters stretching,
        ReadOnlySpan<byte> serverIdentity,
        ReadOnlySpan<byte> clientIdentity,
        ReadOnlySpan<byte> context,
        Span<byte> ke3,
        Span<byte> sessionKey,
        Span<byte> exportKey)
    {
        Span<byte> credentials = stackalloc byte[Opaque.MaskedResponseSize];
        Span<byte> clientPublicKey = stackalloc byte[Opaque.PublicKeySize];
        using var clientPrivateKey = new SecretBytes(Ristretto255Group.ScalarSize);
        if (!TryRecoverCredentials(
            ke2,
            stretching,
            serverIdentity,
            clientIdentity,
            credentials,
            clientPrivateKey.Span,
            clientPublicKey,
            exportKey))
        {
            return false;
        }

        var serverPublicKey = credentials[..Opaque.PublicKeySize];
        var ke2Head = ke2[..Opaque.Ke2HeadSize];
        var serverKeyshare = ke2Head[^Opaque.PublicKeySize..];
        Span<byte> inputKey = stackalloc byte[OpaqueHandshake.InputKeySize];
        Span<byte> serverMac = stackalloc byte[Opaque.MacSize];
        try
        {
            if (!Ristretto255Group.TryMultiply(_keyshare.Span, serverKeyshare, inputKey[..32])
                || !Ristretto255Group.TryMultiply(_keyshare.Span, serverPublicKey, inputKey[32..64])
                || !Ristretto255Group.TryMultiply(clientPrivateKey.Span, serverKeyshare, inputKey[64..]))
            {
                return false;
            }

            OpaqueHandshake.Derive(
                inputKey,
                context,
                clientIdentity.IsEmpty ? clientPublicKey : clientIdentity,
                _ke1,
                serverIdentity.IsEmpty ? serverPublicKey : serverIdentity,
                ke2Head,
                serverMac,
                ke3,
                sessionKey);
            return CryptographicOperations.FixedTimeEquals(serverMac, ke2[Opaque.Ke2HeadSize..]);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(inputKey);
        }
    }

    /// <summary>RecoverCredentials, RFC 9807 section 6.3.2.3.</summary>
    private bool TryRecoverCredentials(
        ReadOnlySpan<byte> ke2,
        StretchingParameters stretching,
        ReadOnlySpan<byte> serverIdentity,
        ReadOnlySpan<byte> clientIdentity,
        Span<byte> credentials,
        Span<byte> clientPrivateKey,
        Span<byte> clientPublicKey,
        Span<byte> exportKey)
    {
        var evaluatedMessage = ke2[..Ristretto255Group.ElementSize];
        var maskingNonce = ke2.Slice(Ristretto255Group.ElementSize, Opaque.NonceSize);
        using var randomizedPassword = new SecretBytes(KeyDerivation.PseudorandomKeySize);
        using var maskingKey = new SecretBytes(Opaque.MaskingKeySize);
        if (!OpaqueKeys.TryRandomizePassword(
            _password.Span, _blind.Span, evaluatedMessage, stretching, randomizedPassword.Span))
        {
            return false;
        }

        OpaqueKeys.DeriveMaskingKey(randomizedPassword.Span, maskingKey.Span);
        ke2[(Ristretto255Group.ElementSize + Opaque.NonceSize)..Opaque.CredentialResponseSize].CopyTo(credentials);
        OpaqueKeys.ApplyMask(maskingKey.Span, maskingNonce, credentials);
        return OpaqueEnvelope.TryRecover(
            randomizedPassword.Span,
            credentials[..Opaque.PublicKeySize],
            serverIdentity,
            clientIdentity,
            credentials[Opaque.PublicKeySize..],
            clientPrivateKey,
            clientPublicKey,
            exportKey);
    }
}
