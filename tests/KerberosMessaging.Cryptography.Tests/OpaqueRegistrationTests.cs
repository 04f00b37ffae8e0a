namespace KerberosMessaging.Cryptography.Tests;

public sealed class OpaqueRegistrationTests : IDisposable
{
    private readonly OpaqueScenario _scenario = new();

    public void Dispose() => _scenario.Dispose();

    [Fact]
    public void Request_hides_the_password_afresh_each_time()
    {
        using var first = OpaqueClientRegistration.Start(OpaqueScenario.Password);
        using var second = OpaqueClientRegistration.Start(OpaqueScenario.Password);
        Assert.NotEqual(first.Request.ToArray(), second.Request.ToArray());
        Assert.Equal(Opaque.RegistrationRequestSize, first.Request.Length);
    }

    [Fact]
    public void Malformed_request_is_refused()
    {
        var response = Bytes.Random(Opaque.RegistrationResponseSize);
        Assert.False(_scenario.Server.TryCreateRegistrationResponse([], OpaqueScenario.Account, response));
        Assert.False(_scenario.Server.TryCreateRegistrationResponse(new byte[32], OpaqueScenario.Account, response));
        Assert.False(_scenario.Server.TryCreateRegistrationResponse(new byte[33], OpaqueScenario.Account, response));
        Assert.Equal(new byte[Opaque.RegistrationResponseSize], response);
    }

    [Fact]
    public void Malformed_response_is_refused_and_a_good_one_works_afterwards()
    {
        using var client = OpaqueClientRegistration.Start(OpaqueScenario.Password);
        var response = new byte[Opaque.RegistrationResponseSize];
        Assert.True(_scenario.Server.TryCreateRegistrationResponse(
            client.Request.Span, OpaqueScenario.Account, response));
        Assert.False(Finishes(client, response[1..]));
        Assert.False(Finishes(client, [.. new byte[32], .. response[32..]]));
        Assert.False(Finishes(client, [.. response[..32], .. new byte[32]]));
        Assert.True(Finishes(client, response));
        Assert.False(Finishes(client, response));
    }

    [Fact]
    public void Record_with_an_invalid_public_key_is_not_well_formed()
    {
        Assert.True(Opaque.IsWellFormedRecord(_scenario.Record));
        Assert.False(Opaque.IsWellFormedRecord(_scenario.Record.AsSpan(1)));
        Assert.False(Opaque.IsWellFormedRecord([.. _scenario.Record, 0]));
        Assert.False(Opaque.IsWellFormedRecord([.. new byte[32], .. _scenario.Record.AsSpan(32)]));
        Assert.False(Opaque.IsWellFormedRecord([]));
    }

    [Fact]
    public void Server_keys_are_checked()
    {
        var seed = new byte[Opaque.OprfSeedSize];
        Assert.Throws<ArgumentException>(() => new OpaqueServer(seed, new byte[32]));
        Assert.Throws<ArgumentException>(() => new OpaqueServer(seed, new byte[31]));
        Assert.Throws<ArgumentException>(() => new OpaqueServer(seed.AsSpan(1), [1, .. new byte[31]]));
        Assert.Throws<ArgumentException>(
            () => new OpaqueServer(seed, [.. Enumerable.Repeat((byte)0xff, 32)]));
    }

    [Fact]
    public void Disposed_server_answers_nothing()
    {
        var (oprfSeed, privateKey) = OpaqueServer.GenerateKeys();
        using var client = OpaqueClientRegistration.Start(OpaqueScenario.Password);
        var server = new OpaqueServer(oprfSeed.Span, privateKey.Span);
        server.Dispose();
        oprfSeed.Dispose();
        privateKey.Dispose();
        Assert.Throws<ObjectDisposedException>(() => server.TryCreateRegistrationResponse(
            client.Request.Span, OpaqueScenario.Account, new byte[Opaque.RegistrationResponseSize]));
    }

    [Fact]
    public void Too_long_password_is_refused()
    {
        Assert.Throws<ArgumentException>(() => OpaqueClientRegistration.Start(new byte[65_536]));
        Assert.Throws<ArgumentException>(() => OpaqueClientLogin.Start(new byte[65_536]));
    }

    private static bool Finishes(OpaqueClientRegistration client, byte[] response)
    {
        var finished = client.TryFinish(
            response, OpaqueScenario.NoStretching, [], [], Bytes.Random(32), out var result);
        result?.Dispose();
        return finished;
    }
}
