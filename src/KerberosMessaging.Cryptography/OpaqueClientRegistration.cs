using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace KerberosMessaging.Cryptography;

/// <summary>The client's side of one registration (RFC 9807 section 5). Not safe for several threads at once.</summary>
public sealed class OpaqueClientRegistration : IDisposable
{
    private readonly SecretBytes _password;
    private readonly SecretBytes _blind;
    private bool _finished;

    private OpaqueClientRegistration(SecretBytes password, SecretBytes blind)
    {
        _password = password;
        _blind = blind;
        var request = new byte[Opaque.RegistrationRequestSize];
        Oprf.Blind(password.Span, blind.Span, request);
        Request = request;
    }

    /// <summary>The request for the server, 32 bytes: the password, perfectly blinded.</summary>
    public ReadOnlyMemory<byte> Request { get; }

    /// <summary>Begins a registration (RFC 9807 section 5.2.1).</summary>
    /// <param name="password">The password's bytes, at most 65,535; they are copied.</param>
    /// <returns>A registration owned by the caller.</returns>
    /// <exception cref="ArgumentException">The password is too long.</exception>
    public static OpaqueClientRegistration Start(ReadOnlySpan<byte> password)
    {
        Span<byte> blind = stackalloc byte[Ristretto255Group.ScalarSize];
        Ristretto255Group.RandomScalar(blind);
        try
        {
            return Start(password, blind);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(blind);
        }
    }

    /// <summary>
    /// Finishes the registration (RFC 9807 section 5.2.3). It succeeds once, and the password is erased then.
    /// </summary>
    /// <param name="response">The server's response; any bytes are allowed.</param>
    /// <param name="stretching">How to stretch the password; the same must be known at every login.</param>
    /// <param name="serverIdentity">The server's identity, at most 65,535 bytes; empty for its public key.</param>
    /// <param name="clientIdentity">The client's identity, at most 65,535 bytes; empty for its public key.</param>
    /// <param name="result">The record and the export key, or null on failure.</param>
    /// <returns>
    /// False where the response is malformed, the stretching is not <see cref="StretchingParameters.IsAcceptable"/>,
    /// or this registration was already finished.
    /// </returns>
    /// <exception cref="ArgumentException">An identity is too long.</exception>
    /// <exception cref="ObjectDisposedException">This object was disposed before it was finished.</exception>
    public bool TryFinish(
        ReadOnlySpan<byte> response,
        StretchingParameters stretching,
        ReadOnlySpan<byte> serverIdentity,
        ReadOnlySpan<byte> clientIdentity,
        [NotNullWhen(true)] out OpaqueRegistrationResult? result)
    {
        result = null;
        Span<byte> nonce = stackalloc byte[Opaque.NonceSize];
        RandomNumberGenerator.Fill(nonce);
        return stretching.IsAcceptable
            && TryFinish(response, stretching, serverIdentity, clientIdentity, nonce, out result);
    }

    /// <summary>Erases the password and the blind.</summary>
    public void Dispose()
    {
        _password.Dispose();
        _blind.Dispose();
    }

    /// <summary>Never shows the password.</summary>
    /// <returns>The text <c>[redacted]</c>.</returns>
    public override string ToString() => Redacted.Text;

    /// <summary>The form with a given blind, for published test vectors.</summary>
    internal static OpaqueClientRegistration Start(ReadOnlySpan<byte> password, ReadOnlySpan<byte> blind)
    {
        Require.FitsTwoByteLength(password);
        return new OpaqueClientRegistration(new SecretBytes(password), new SecretBytes(blind));
    }

    /// <summary>The form with a given nonce and any stretching, for published test vectors.</summary>
    internal bool TryFinish(
        ReadOnlySpan<byte> response,
        StretchingParameters stretching,
        ReadOnlySpan<byte> serverIdentity,
        ReadOnlySpan<byte> clientIdentity,
        ReadOnlySpan<byte> envelopeNonce,
        [NotNullWhen(true)] out OpaqueRegistrationResult? result)
    {
        Require.FitsTwoByteLength(serverIdentity);
        Require.FitsTwoByteLength(clientIdentity);
        result = null;
        if (_finished || response.Length != Opaque.RegistrationResponseSize)
        {
            return false;
        }

        var evaluatedMessage = response[..Ristretto255Group.ElementSize];
        var serverPublicKey = response[Ristretto255Group.ElementSize..];
        using var randomizedPassword = new SecretBytes(KeyDerivation.PseudorandomKeySize);
        if (!Ristretto255Group.IsValidElement(serverPublicKey)
            || !OpaqueKeys.TryRandomizePassword(
                _password.Span, _blind.Span, evaluatedMessage, stretching, randomizedPassword.Span))
        {
            return false;
        }

        var record = new byte[Opaque.RegistrationRecordSize];
        var clientPublicKey = record.AsSpan(0, Opaque.PublicKeySize);
        var maskingKey = record.AsSpan(Opaque.PublicKeySize, Opaque.MaskingKeySize);
        var envelope = record.AsSpan(Opaque.PublicKeySize + Opaque.MaskingKeySize);
        var exportKey = new SecretBytes(Opaque.ExportKeySize);
        envelopeNonce.CopyTo(envelope);
        OpaqueKeys.DeriveMaskingKey(randomizedPassword.Span, maskingKey);
        OpaqueEnvelope.Store(
            randomizedPassword.Span,
            serverPublicKey,
            serverIdentity,
            clientIdentity,
            envelope,
            clientPublicKey,
            exportKey.Span);

        _finished = true;
        Dispose();
        result = new OpaqueRegistrationResult(record, exportKey);
        return true;
    }
}
