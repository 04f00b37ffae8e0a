using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace KerberosMessaging.Cryptography;

/// <summary>
/// The server of OPAQUE-3DH (RFC 9807) with its long-term keys. It keeps no state between messages and is safe for
/// use by several threads at once.
/// </summary>
public sealed class OpaqueServer : IDisposable
{
    private readonly SecretBytes _oprfSeed;
    private readonly SecretBytes _privateKey;
    private readonly byte[] _publicKey = new byte[Opaque.PublicKeySize];
    private readonly byte[] _fakeRecord;

    /// <summary>Takes up the server's keys, which are copied.</summary>
    /// <param name="oprfSeed">The seed of all OPRF keys, 64 bytes.</param>
    /// <param name="privateKey">The private key, 32 bytes: a reduced ristretto255 scalar other than zero.</param>
    /// <exception cref="ArgumentException">A key has the wrong length or is not such a scalar.</exception>
    public OpaqueServer(ReadOnlySpan<byte> oprfSeed, ReadOnlySpan<byte> privateKey)
    {
        Require.Length(oprfSeed, Opaque.OprfSeedSize);
        Require.Length(privateKey, Opaque.ServerPrivateKeySize);
        if (!Ristretto255Group.IsValidScalar(privateKey))
        {
            throw new ArgumentException("The private key is not a scalar of the group.", nameof(privateKey));
        }

        _oprfSeed = new SecretBytes(oprfSeed);
        _privateKey = new SecretBytes(privateKey);
        Ristretto255Group.MultiplyBase(privateKey, _publicKey);
        _fakeRecord = CreateFakeRecord();
    }

    /// <summary>The server's public key, 32 bytes.</summary>
    public ReadOnlyMemory<byte> PublicKey => _publicKey;

    /// <summary>
    /// The record to answer from for an account that does not exist (RFC 9807 section 6.3.2.2), so that strangers cannot
    /// learn which accounts do (section 10.9): 192 bytes against which no login can succeed. It follows from the OPRF seed.
    /// As the RFC recommends, one serves all such accounts: an answer shows nothing of its record but under a fresh mask,
    /// and the OPRF value, which must be the same whenever a name is asked for, follows from the name.
    /// </summary>
    public ReadOnlySpan<byte> FakeRecord => _fakeRecord;

    /// <summary>Makes new long-term keys. Losing either makes every registration useless.</summary>
    /// <returns>The OPRF seed (64 bytes) and the private key (32 bytes), both owned by the caller.</returns>
    public static (SecretBytes OprfSeed, SecretBytes PrivateKey) GenerateKeys()
    {
        var privateKey = new SecretBytes(Opaque.ServerPrivateKeySize);
        Ristretto255Group.RandomScalar(privateKey.Span);
        return (SecretBytes.Random(Opaque.OprfSeedSize), privateKey);
    }

    /// <summary>Answers a registration request (RFC 9807 section 5.2.2).</summary>
    /// <param name="request">The client's request; any bytes are allowed.</param>
    /// <param name="credentialIdentifier">What names this account's credential for ever, and no other's.</param>
    /// <param name="response">Receives the response, 64 bytes; zeroed on failure.</param>
    /// <returns>False where the request is not a valid group element.</returns>
    /// <exception cref="ArgumentException"><paramref name="response"/> is not 64 bytes long.</exception>
    /// <exception cref="ObjectDisposedException">This object was disposed.</exception>
    public bool TryCreateRegistrationResponse(
        ReadOnlySpan<byte> request, ReadOnlySpan<byte> credentialIdentifier, Span<byte> response)
    {
        Require.Length(response, Opaque.RegistrationResponseSize);
        if (TryEvaluate(request, credentialIdentifier, response[..Ristretto255Group.ElementSize]))
        {
            _publicKey.CopyTo(response[Ristretto255Group.ElementSize..]);
            return true;
        }

        response.Clear();
        return false;
    }

    /// <summary>Answers the first message of a login (RFC 9807 section 6.2.2).</summary>
    /// <param name="record">The account's registration record, or a fake one.</param>
    /// <param name="ke1">The client's message; any bytes are allowed.</param>
    /// <param name="credentialIdentifier">The identifier given at registration.</param>
    /// <param name="serverIdentity">The server's identity given at registration; empty for its public key.</param>
    /// <param name="clientIdentity">The client's identity given at registration; empty for its public key.</param>
    /// <param name="context">What the application binds the login to, at most 65,535 bytes.</param>
    /// <param name="login">The login, owned by the caller, or null on failure.</param>
    /// <returns>False where the message or the record is malformed.</returns>
    /// <exception cref="ArgumentException">An identity or the context is too long.</exception>
    /// <exception cref="ObjectDisposedException">This object was disposed.</exception>
    public bool TryStartLogin(
        ReadOnlySpan<byte> record,
        ReadOnlySpan<byte> ke1,
        ReadOnlySpan<byte> credentialIdentifier,
        ReadOnlySpan<byte> serverIdentity,
        ReadOnlySpan<byte> clientIdentity,
        ReadOnlySpan<byte> context,
        [NotNullWhen(true)] out OpaqueServerLogin? login)
    {
        using var randomness = new OpaqueServerRandomness();
        return TryStartLogin(
            record, ke1, credentialIdentifier, serverIdentity, clientIdentity, context, randomness, out login);
    }

    /// <summary>Erases the keys.</summary>
    public void Dispose()
    {
        _oprfSeed.Dispose();
        _privateKey.Dispose();
    }

    /// <summary>Never shows the keys.</summary>
    /// <returns>The text <c>[redacted]</c>.</returns>
    public override string ToString() => Redacted.Text;

    /// <summary>The form with given randomness, for published test vectors.</summary>
    internal bool TryStartLogin(
        ReadOnlySpan<byte> record,
        ReadOnlySpan<byte> ke1,
        ReadOnlySpan<byte> credentialIdentifier,
        ReadOnlySpan<byte> serverIdentity,
        ReadOnlySpan<byte> clientIdentity,
        ReadOnlySpan<byte> context,
        OpaqueServerRandomness randomness,
        [NotNullWhen(true)] out OpaqueServerLogin? login)
    {
        Require.FitsTwoByteLength(serverIdentity);
        Require.FitsTwoByteLength(clientIdentity);
        Require.FitsTwoByteLength(context);
        login = null;
        if (record.Length != Opaque.RegistrationRecordSize || ke1.Length != Opaque.Ke1Size)
        {
            return false;
        }

        var ke2 = new byte[Opaque.Ke2Size];
        if (!TryWriteCredentialResponse(record, ke1, credentialIdentifier, randomness.MaskingNonce, ke2))
        {
            return false;
        }

        var clientPublicKey = record[..Opaque.PublicKeySize];
        var clientKeyshare = ke1[^Opaque.PublicKeySize..];
        var ke2Head = ke2.AsSpan(0, Opaque.Ke2HeadSize);
        randomness.ServerNonce.CopyTo(ke2Head[Opaque.CredentialResponseSize..]);
        Span<byte> keyshare = stackalloc byte[Ristretto255Group.ScalarSize];
        Span<byte> inputKey = stackalloc byte[OpaqueHandshake.InputKeySize];
        try
        {
            OpaqueKeys.DeriveKeyPair(randomness.KeyshareSeed, keyshare, ke2Head[^Opaque.PublicKeySize..]);
            if (!Ristretto255Group.TryMultiply(keyshare, clientKeyshare, inputKey[..32])
                || !Ristretto255Group.TryMultiply(_privateKey.Span, clientKeyshare, inputKey[32..64])
                || !Ristretto255Group.TryMultiply(keyshare, clientPublicKey, inputKey[64..]))
            {
                return false;
            }

            var expectedKe3 = new SecretBytes(Opaque.Ke3Size);
            var sessionKey = new SecretBytes(Opaque.SessionKeySize);
            OpaqueHandshake.Derive(
                inputKey,
                context,
                clientIdentity.IsEmpty ? clientPublicKey : clientIdentity,
                ke1,
                serverIdentity.IsEmpty ? _publicKey : serverIdentity,
                ke2Head,
                ke2.AsSpan(Opaque.Ke2HeadSize),
                expectedKe3.Span,
                sessionKey.Span);
            login = new OpaqueServerLogin(ke2, expectedKe3, sessionKey);
            return true;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(keyshare);
            CryptographicOperations.ZeroMemory(inputKey);
        }
    }

    /// <summary>CreateCredentialResponse, RFC 9807 section 6.3.2.2.</summary>
    private bool TryWriteCredentialResponse(
        ReadOnlySpan<byte> record,
        ReadOnlySpan<byte> ke1,
        ReadOnlySpan<byte> credentialIdentifier,
        ReadOnlySpan<byte> maskingNonce,
        Span<byte> ke2)
    {
        if (!TryEvaluate(ke1[..Ristretto255Group.ElementSize], credentialIdentifier, ke2[..Ristretto255Group.ElementSize]))
        {
            return false;
        }

        maskingNonce.CopyTo(ke2[Ristretto255Group.ElementSize..]);
        var masked = ke2[(Ristretto255Group.ElementSize + Opaque.NonceSize)..Opaque.CredentialResponseSize];
        _publicKey.CopyTo(masked);
        record[(Opaque.PublicKeySize + Opaque.MaskingKeySize)..].CopyTo(masked[Opaque.PublicKeySize..]);
        OpaqueKeys.ApplyMask(record.Slice(Opaque.PublicKeySize, Opaque.MaskingKeySize), maskingNonce, masked);
        return true;
    }

    private byte[] CreateFakeRecord()
    {
        // The labels stand at the end, as "OprfKey" does, and none ends like another: the three derivations can
        // never meet, whatever the identifiers.
        var record = new byte[Opaque.RegistrationRecordSize];
        Span<byte> uniform = stackalloc byte[Ristretto255Group.UniformSize];
        ExpandSeed(credentialIdentifier: default, "FakeRecordPublicKey"u8, uniform);
        Ristretto255Group.FromUniformBytes(uniform, record.AsSpan(0, Opaque.PublicKeySize));
        ExpandSeed(
            credentialIdentifier: default,
            "FakeRecordMaskingKey"u8,
            record.AsSpan(Opaque.PublicKeySize, Opaque.MaskingKeySize));
        return record;
    }

    private bool TryEvaluate(
        ReadOnlySpan<byte> blindedMessage, ReadOnlySpan<byte> credentialIdentifier, Span<byte> evaluatedMessage)
    {
        Span<byte> seed = stackalloc byte[Oprf.SeedSize];
        Span<byte> oprfKey = stackalloc byte[Ristretto255Group.ScalarSize];
        try
        {
            ExpandSeed(credentialIdentifier, "OprfKey"u8, seed);
            Oprf.DerivePrivateKey(seed, "OPAQUE-DeriveKeyPair"u8, oprfKey);
            return Oprf.TryEvaluate(oprfKey, blindedMessage, evaluatedMessage);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(seed);
            CryptographicOperations.ZeroMemory(oprfKey);
        }
    }

    private void ExpandSeed(ReadOnlySpan<byte> credentialIdentifier, ReadOnlySpan<byte> label, Span<byte> output)
    {
        var info = new byte[credentialIdentifier.Length + label.Length];
        credentialIdentifier.CopyTo(info);
        label.CopyTo(info.AsSpan(credentialIdentifier.Length));
        KeyDerivation.ExpandRaw(_oprfSeed.Span, info, output);
    }
}
