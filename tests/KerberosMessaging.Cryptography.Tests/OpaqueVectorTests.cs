namespace KerberosMessaging.Cryptography.Tests;

public sealed class OpaqueVectorTests
{
    private static readonly StretchingParameters NoStretching = new(StretchingAlgorithm.Identity, 0, 0);

    [Theory]
    [InlineData("C.1.1")]
    [InlineData("C.1.2")]
    public void Rfc9807_registration_vector_holds(string name)
    {
        var vector = Find(name);
        using var server = new OpaqueServer(vector.OprfSeed, vector.ServerPrivateKey);
        using var client = OpaqueClientRegistration.Start(vector.Password, vector.BlindRegistration);
        var response = new byte[Opaque.RegistrationResponseSize];

        Assert.Equal(vector.ServerPublicKey, server.PublicKey.ToArray());
        Assert.Equal(vector.RegistrationRequest, client.Request.ToArray());
        Assert.True(server.TryCreateRegistrationResponse(client.Request.Span, vector.CredentialIdentifier, response));
        Assert.Equal(vector.RegistrationResponse, response);
        Assert.True(client.TryFinish(
            response, NoStretching, vector.ServerIdentity, vector.ClientIdentity, vector.EnvelopeNonce, out var result));
        using (result)
        {
            Assert.Equal(vector.RegistrationRecord, result.Record);
            Assert.Equal(vector.ExportKey, result.ExportKey.Span.ToArray());
            Assert.True(Opaque.IsWellFormedRecord(result.Record));
        }
    }

    [Theory]
    [InlineData("C.1.1")]
    [InlineData("C.1.2")]
    public void Rfc9807_login_vector_holds(string name)
    {
        var vector = Find(name);
        using var server = new OpaqueServer(vector.OprfSeed, vector.ServerPrivateKey);
        using var client = OpaqueClientLogin.Start(
            vector.Password, vector.BlindLogin, vector.ClientNonce, vector.ClientKeyshareSeed);
        using var randomness =
            new OpaqueServerRandomness(vector.MaskingNonce, vector.ServerNonce, vector.ServerKeyshareSeed);

        Assert.Equal(vector.Ke1, client.Ke1.ToArray());
        Assert.True(server.TryStartLogin(
            vector.RegistrationRecord,
            client.Ke1.Span,
            vector.CredentialIdentifier,
            vector.ServerIdentity,
            vector.ClientIdentity,
            vector.Context,
            randomness,
            out var login));
        using (login)
        {
            Assert.Equal(vector.Ke2, login.Ke2.ToArray());
            Assert.True(client.TryFinishUnchecked(
                login.Ke2.Span,
                NoStretching,
                vector.ServerIdentity,
                vector.ClientIdentity,
                vector.Context,
                out var result));
            using (result)
            {
                Assert.Equal(vector.Ke3, result.Ke3);
                Assert.Equal(vector.SessionKey, result.SessionKey.Span.ToArray());
                Assert.Equal(vector.ExportKey, result.ExportKey.Span.ToArray());
                Assert.True(login.TryFinish(result.Ke3, out var sessionKey));
                using (sessionKey)
                {
                    Assert.Equal(vector.SessionKey, sessionKey.Span.ToArray());
                }
            }
        }
    }

    [Fact]
    public void Rfc9807_fake_record_vector_holds()
    {
        var vector = Assert.Single(VectorFile.Cases<FakeVector>("rfc9807-c2.json"));
        using var server = new OpaqueServer(vector.OprfSeed, vector.ServerPrivateKey);
        using var randomness =
            new OpaqueServerRandomness(vector.MaskingNonce, vector.ServerNonce, vector.ServerKeyshareSeed);
        byte[] record = [.. vector.ClientPublicKey, .. vector.MaskingKey, .. new byte[Opaque.EnvelopeSize]];

        Assert.Equal(vector.ServerPublicKey, server.PublicKey.ToArray());
        Assert.True(server.TryStartLogin(
            record,
            vector.Ke1,
            vector.CredentialIdentifier,
            vector.ServerIdentity,
            vector.ClientIdentity,
            vector.Context,
            randomness,
            out var login));
        using (login)
        {
            Assert.Equal(vector.Ke2, login.Ke2.ToArray());
        }
    }

    private static RealVector Find(string name) =>
        Assert.Single(VectorFile.Cases<RealVector>("rfc9807-c1.json"), vector => vector.Name == name);

    private sealed record RealVector(
        string Name,
        byte[] Context,
        byte[] ClientIdentity,
        byte[] ServerIdentity,
        byte[] OprfSeed,
        byte[] CredentialIdentifier,
        byte[] Password,
        byte[] EnvelopeNonce,
        byte[] MaskingNonce,
        byte[] ServerPrivateKey,
        byte[] ServerPublicKey,
        byte[] ServerNonce,
        byte[] ClientNonce,
        byte[] ClientKeyshareSeed,
        byte[] ServerKeyshareSeed,
        byte[] BlindRegistration,
        byte[] BlindLogin,
        byte[] RegistrationRequest,
        byte[] RegistrationResponse,
        byte[] RegistrationRecord,
        byte[] Ke1,
        byte[] Ke2,
        byte[] Ke3,
        byte[] ExportKey,
        byte[] SessionKey);

    private sealed record FakeVector(
        byte[] Context,
        byte[] ClientIdentity,
        byte[] ServerIdentity,
        byte[] OprfSeed,
        byte[] CredentialIdentifier,
        byte[] MaskingNonce,
        byte[] ClientPublicKey,
        byte[] ServerPrivateKey,
        byte[] ServerPublicKey,
        byte[] ServerNonce,
        byte[] ServerKeyshareSeed,
        byte[] MaskingKey,
        byte[] Ke1,
        byte[] Ke2);
}
