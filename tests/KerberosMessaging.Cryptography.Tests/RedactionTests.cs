namespace KerberosMessaging.Cryptography.Tests;

public sealed class RedactionTests
{
    // Every disposable type here holds a secret: that is what it disposes of.
    public static TheoryData<Type> SecretTypes =>
        [.. typeof(SecretBytes).Assembly.GetTypes()
            .Where(type => type.IsClass && typeof(IDisposable).IsAssignableFrom(type))];

    [Theory]
    [MemberData(nameof(SecretTypes))]
    public void Every_secret_type_has_a_text_form_of_its_own(Type type) =>
        Assert.Equal(type, type.GetMethod(nameof(ToString), Type.EmptyTypes)!.DeclaringType);

    [Fact]
    public void Every_secret_prints_as_redacted()
    {
        using var scenario = new OpaqueScenario();
        using var registration = OpaqueClientRegistration.Start(OpaqueScenario.Password);
        using var client = OpaqueClientLogin.Start(OpaqueScenario.Password);
        using var server = scenario.Answer(client.Ke1.Span);
        Assert.True(OpaqueScenario.TryFinish(client, server.Ke2.Span, out var login));
        object[] secrets =
        [
            SecretBytes.Random(4),
            new AuthenticatedCbc(new byte[AuthenticatedCbc.KeySize]),
            Ed25519PrivateKey.Generate(),
            X25519PrivateKey.Generate(),
            MlKem768PrivateKey.Generate(),
            XWingPrivateKey.Generate(),
            scenario.Server,
            registration,
            new OpaqueRegistrationResult([], SecretBytes.Random(4)),
            client,
            server,
            login!,
            new OpaqueServerRandomness(),
        ];

        Assert.All(secrets, secret => Assert.Equal("[redacted]", secret.ToString()));
        Assert.Equal(SecretTypes.Count, secrets.Length);
        foreach (var secret in secrets)
        {
            ((IDisposable)secret).Dispose();
        }
    }
}
