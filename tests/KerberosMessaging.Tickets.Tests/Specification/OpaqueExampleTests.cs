using System.Text;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol.Tests;

namespace KerberosMessaging.Tickets.Tests.Specification;

/// <summary>The worked example of docs/protocol.md, section 13.3, is what the code does.</summary>
public sealed class OpaqueExampleTests
{
    private static readonly byte[] Alice = "alice"u8.ToArray();

    [Fact]
    public void The_server_answers_the_registration_request_as_stated()
    {
        using var server = Server();
        var response = new byte[Opaque.RegistrationResponseSize];

        Assert.Equal(Example("opaque-server-public-key"), server.PublicKey.ToArray());
        Assert.True(server.TryCreateRegistrationResponse(Example("registration-request"), Alice, response));
        Assert.Equal(Example("registration-response"), response);
    }

    [Fact]
    public void The_record_lets_the_stated_password_in_and_gives_the_stated_export_key()
    {
        using var server = Server();
        var context = LoginProof.OpaqueContext(Example("channel-binding"));
        using var login = OpaqueClientLogin.Start(Example("password"));

        Assert.Equal("Zoë’s password", Encoding.UTF8.GetString(Example("password")));
        Assert.True(server.TryStartLogin(
            Example("registration-record"), login.Ke1.Span, Alice, [], [], context, out var started));
        Assert.True(login.TryFinish(started.Ke2.Span, StretchingParameters.Default, [], [], context, out var result));
        Assert.Equal(Example("export-key"), result.ExportKey.Span.ToArray());
        Assert.True(started.TryFinish(result.Ke3, out var sessionKey));
        Assert.Equal(sessionKey.Span.ToArray(), result.SessionKey.Span.ToArray());
    }

    [Fact]
    public void A_realm_asks_for_the_stretching_that_the_specification_says()
    {
        Assert.Equal(new StretchingParameters(StretchingAlgorithm.Argon2id, 3, 65_536), StretchingParameters.Default);
        Assert.Equal(new StretchingParameters(StretchingAlgorithm.Pbkdf2Sha256, 600_000, 0), StretchingParameters.Pbkdf2Default);
        Assert.Equal((1, 2), ((int)StretchingAlgorithm.Argon2id, (int)StretchingAlgorithm.Pbkdf2Sha256));
    }

    [Theory]
    [InlineData(1, 3, 65_536, true)]
    [InlineData(1, 16, 1_048_576, true)]
    [InlineData(1, 2, 65_536, false)]
    [InlineData(1, 17, 65_536, false)]
    [InlineData(1, 3, 65_535, false)]
    [InlineData(1, 3, 1_048_577, false)]
    [InlineData(2, 600_000, 0, true)]
    [InlineData(2, 10_000_000, 0, true)]
    [InlineData(2, 599_999, 0, false)]
    [InlineData(2, 10_000_001, 0, false)]
    [InlineData(2, 600_000, 1, false)]
    [InlineData(0, 0, 0, false)]
    [InlineData(3, 3, 65_536, false)]
    public void A_client_takes_the_stretching_that_the_specification_allows(int algorithm, uint iterations, uint memory, bool taken) =>
        Assert.Equal(taken, new StretchingParameters((StretchingAlgorithm)algorithm, iterations, memory).IsAcceptable);

    [Fact]
    public void The_stretched_output_is_hashed_into_the_masking_key_as_stated()
    {
        // RFC 9807, section 5.2.3: the two values in one Extract, then an Expand for the record's second field.
        var randomizedPassword = new byte[64];
        KeyDerivation.Extract([], [.. Example("oprf-output"), .. Example("stretched")], randomizedPassword);
        var maskingKey = new byte[64];
        KeyDerivation.Expand(randomizedPassword, "MaskingKey", maskingKey);

        Assert.Equal(Example("registration-record").AsSpan(32, 64).ToArray(), maskingKey);
    }

    private static OpaqueServer Server() => new(Example("oprf-seed"), Example("opaque-server-private-key"));

    private static byte[] Example(string name) => SpecificationDocument.Example(name);
}
