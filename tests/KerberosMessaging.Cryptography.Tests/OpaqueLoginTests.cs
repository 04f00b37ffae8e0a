namespace KerberosMessaging.Cryptography.Tests;

public sealed class OpaqueLoginTests : IDisposable
{
    private readonly OpaqueScenario _scenario = new();

    public void Dispose() => _scenario.Dispose();

    [Fact]
    public void Right_password_gives_both_sides_the_same_key()
    {
        using var client = OpaqueClientLogin.Start(OpaqueScenario.Password);
        using var server = _scenario.Answer(client.Ke1.Span);
        Assert.True(OpaqueScenario.TryFinish(client, server.Ke2.Span, out var result));
        using (result)
        {
            Assert.True(server.TryFinish(result!.Ke3, out var sessionKey));
            using (sessionKey)
            {
                Assert.Equal(sessionKey.Span.ToArray(), result.SessionKey.Span.ToArray());
                Assert.Equal(_scenario.ExportKey, result.ExportKey.Span.ToArray());
                Assert.Equal(Opaque.SessionKeySize, sessionKey.Length);
            }
        }
    }

    [Fact]
    public void Two_logins_never_share_a_key_or_a_message()
    {
        using var first = OpaqueClientLogin.Start(OpaqueScenario.Password);
        using var second = OpaqueClientLogin.Start(OpaqueScenario.Password);
        Assert.NotEqual(first.Ke1.ToArray()[..32], second.Ke1.ToArray()[..32]);
        using var firstAnswer = _scenario.Answer(first.Ke1.Span);
        using var secondAnswer = _scenario.Answer(second.Ke1.Span);
        Assert.True(OpaqueScenario.TryFinish(first, firstAnswer.Ke2.Span, out var firstResult));
        Assert.True(OpaqueScenario.TryFinish(second, secondAnswer.Ke2.Span, out var secondResult));
        Assert.NotEqual(firstResult!.SessionKey.Span.ToArray(), secondResult!.SessionKey.Span.ToArray());
        firstResult.Dispose();
        secondResult.Dispose();
    }

    [Fact]
    public void Wrong_password_is_refused()
    {
        using var client = OpaqueClientLogin.Start("wrong horse"u8);
        using var server = _scenario.Answer(client.Ke1.Span);
        Assert.False(OpaqueScenario.TryFinish(client, server.Ke2.Span, out var result));
        Assert.Null(result);
    }

    [Fact]
    public void Every_flipped_byte_of_ke2_is_refused()
    {
        byte[] blind = [1, .. new byte[31]];
        var nonce = Bytes.Random(32);
        var seed = Bytes.Random(32);
        using var original = OpaqueClientLogin.Start(OpaqueScenario.Password, blind, nonce, seed);
        using var server = _scenario.Answer(original.Ke1.Span);
        for (var position = 0; position < Opaque.Ke2Size; position++)
        {
            using var client = OpaqueClientLogin.Start(OpaqueScenario.Password, blind, nonce, seed);
            Assert.False(OpaqueScenario.TryFinish(client, Bytes.Flip(server.Ke2.Span, position), out _));
        }

        Assert.True(OpaqueScenario.TryFinish(original, server.Ke2.Span, out var result));
        result!.Dispose();
    }

    [Fact]
    public void Every_flipped_byte_of_ke3_is_refused()
    {
        using var client = OpaqueClientLogin.Start(OpaqueScenario.Password);
        using var template = _scenario.Answer(client.Ke1.Span);
        Assert.True(OpaqueScenario.TryFinish(client, template.Ke2.Span, out var result));
        using (result)
        {
            for (var position = 0; position < Opaque.Ke3Size; position++)
            {
                using var server = new OpaqueServerLogin(
                    template.Ke2.ToArray(), new SecretBytes(result!.Ke3), result.SessionKey.Clone());
                Assert.False(server.TryFinish(Bytes.Flip(result.Ke3, position), out var sessionKey));
                Assert.Null(sessionKey);
            }
        }
    }

    [Fact]
    public void Changed_ke1_is_noticed_by_the_client()
    {
        // Only the client's nonce: a changed keyshare or blinded message would be another valid element or none.
        using var client = OpaqueClientLogin.Start(OpaqueScenario.Password);
        using var server = _scenario.Answer(Bytes.Flip(client.Ke1.Span, 40));
        Assert.False(OpaqueScenario.TryFinish(client, server.Ke2.Span, out _));
    }

    [Fact]
    public void Server_login_can_be_tried_once()
    {
        using var client = OpaqueClientLogin.Start(OpaqueScenario.Password);
        using var server = _scenario.Answer(client.Ke1.Span);
        Assert.True(OpaqueScenario.TryFinish(client, server.Ke2.Span, out var result));
        using (result)
        {
            Assert.False(server.TryFinish([], out _));
            Assert.False(server.TryFinish(result!.Ke3, out _));
        }
    }

    [Fact]
    public void Client_login_can_be_tried_once()
    {
        using var client = OpaqueClientLogin.Start(OpaqueScenario.Password);
        using var server = _scenario.Answer(client.Ke1.Span);
        Assert.False(OpaqueScenario.TryFinish(client, Bytes.Flip(server.Ke2.Span, 319), out _));
        Assert.False(OpaqueScenario.TryFinish(client, server.Ke2.Span, out _));
    }

    [Fact]
    public void Identities_and_context_are_bound()
    {
        var other = "other"u8.ToArray();
        Assert.False(FinishesWith(other, OpaqueScenario.ClientIdentity, OpaqueScenario.Context));
        Assert.False(FinishesWith(OpaqueScenario.ServerIdentity, other, OpaqueScenario.Context));
        Assert.False(FinishesWith(OpaqueScenario.ServerIdentity, OpaqueScenario.ClientIdentity, other));
        Assert.False(FinishesWith([], OpaqueScenario.ClientIdentity, OpaqueScenario.Context));
        Assert.False(FinishesWith(OpaqueScenario.ServerIdentity, [], OpaqueScenario.Context));
        Assert.True(FinishesWith(
            OpaqueScenario.ServerIdentity, OpaqueScenario.ClientIdentity, OpaqueScenario.Context));
    }

    [Fact]
    public void Record_of_another_account_opens_nothing()
    {
        using var client = OpaqueClientLogin.Start(OpaqueScenario.Password);
        Assert.True(_scenario.Server.TryStartLogin(
            _scenario.Record,
            client.Ke1.Span,
            "account-8"u8,
            OpaqueScenario.ServerIdentity,
            OpaqueScenario.ClientIdentity,
            OpaqueScenario.Context,
            out var server));
        using (server)
        {
            Assert.False(OpaqueScenario.TryFinish(client, server.Ke2.Span, out _));
        }
    }

    [Fact]
    public void Malformed_messages_are_refused_without_an_exception()
    {
        using var client = OpaqueClientLogin.Start(OpaqueScenario.Password);
        var ke1 = client.Ke1.ToArray();
        Assert.False(Starts(_scenario.Record, ke1[1..]));
        Assert.False(Starts(_scenario.Record, [.. ke1, 0]));
        Assert.False(Starts(_scenario.Record, []));
        Assert.False(Starts(_scenario.Record, [.. new byte[32], .. ke1[32..]]));
        Assert.False(Starts(_scenario.Record, [.. ke1[..64], .. new byte[32]]));
        Assert.False(Starts(_scenario.Record, [.. ke1[..64], .. Enumerable.Repeat((byte)0xff, 32)]));
        Assert.False(Starts(_scenario.Record[1..], ke1));
        Assert.False(Starts([.. new byte[32], .. _scenario.Record[32..]], ke1));
        Assert.True(Starts(_scenario.Record, ke1));

        Assert.False(OpaqueScenario.TryFinish(client, [], out _));
        Assert.False(OpaqueScenario.TryFinish(client, new byte[319], out _));
        Assert.False(OpaqueScenario.TryFinish(client, new byte[320], out _));
    }

    [Fact]
    public void Weak_stretching_is_refused_at_the_public_entry_points()
    {
        using var client = OpaqueClientLogin.Start(OpaqueScenario.Password);
        using var server = _scenario.Answer(client.Ke1.Span);
        Assert.False(client.TryFinish(
            server.Ke2.Span,
            OpaqueScenario.NoStretching,
            OpaqueScenario.ServerIdentity,
            OpaqueScenario.ClientIdentity,
            OpaqueScenario.Context,
            out _));

        using var registration = OpaqueClientRegistration.Start(OpaqueScenario.Password);
        var response = new byte[Opaque.RegistrationResponseSize];
        Assert.True(_scenario.Server.TryCreateRegistrationResponse(
            registration.Request.Span, OpaqueScenario.Account, response));
        Assert.False(registration.TryFinish(response, OpaqueScenario.NoStretching, [], [], out _));
        Assert.False(registration.TryFinish(
            response, StretchingParameters.Default with { MemoryKiB = 1024 }, [], [], out _));
    }

    [Theory]
    [InlineData(StretchingAlgorithm.Argon2id)]
    [InlineData(StretchingAlgorithm.Pbkdf2Sha256)]
    public void Public_entry_points_register_and_log_in_with_real_stretching(StretchingAlgorithm algorithm)
    {
        var stretching = algorithm == StretchingAlgorithm.Argon2id
            ? StretchingParameters.Default
            : StretchingParameters.Pbkdf2Default;
        using var registration = OpaqueClientRegistration.Start(OpaqueScenario.Password);
        var response = new byte[Opaque.RegistrationResponseSize];
        Assert.True(_scenario.Server.TryCreateRegistrationResponse(
            registration.Request.Span, OpaqueScenario.Account, response));
        Assert.True(registration.TryFinish(response, stretching, [], [], out var registered));
        using (registered)
        {
            using var client = OpaqueClientLogin.Start(OpaqueScenario.Password);
            Assert.True(_scenario.Server.TryStartLogin(
                registered.Record,
                client.Ke1.Span,
                OpaqueScenario.Account,
                [],
                [],
                OpaqueScenario.Context,
                out var server));
            using (server)
            {
                Assert.True(client.TryFinish(
                    server.Ke2.Span, stretching, [], [], OpaqueScenario.Context, out var result));
                using (result)
                {
                    Assert.Equal(registered.ExportKey.Span.ToArray(), result.ExportKey.Span.ToArray());
                    Assert.True(server.TryFinish(result.Ke3, out var sessionKey));
                    sessionKey.Dispose();
                }
            }
        }
    }

    [Fact]
    public void One_server_answers_many_threads()
    {
        Parallel.For(0, 16, _ =>
        {
            using var client = OpaqueClientLogin.Start(OpaqueScenario.Password);
            using var server = _scenario.Answer(client.Ke1.Span);
            Assert.True(OpaqueScenario.TryFinish(client, server.Ke2.Span, out var result));
            using (result)
            {
                Assert.True(server.TryFinish(result!.Ke3, out var sessionKey));
                sessionKey.Dispose();
            }
        });
    }

    private bool Starts(byte[] record, byte[] ke1)
    {
        var started = _scenario.Server.TryStartLogin(
            record, ke1, OpaqueScenario.Account, [], [], OpaqueScenario.Context, out var login);
        login?.Dispose();
        return started;
    }

    private bool FinishesWith(byte[] serverIdentity, byte[] clientIdentity, byte[] context)
    {
        using var client = OpaqueClientLogin.Start(OpaqueScenario.Password);
        using var server = _scenario.Answer(client.Ke1.Span);
        var finished = client.TryFinishUnchecked(
            server.Ke2.Span, OpaqueScenario.NoStretching, serverIdentity, clientIdentity, context, out var result);
        result?.Dispose();
        return finished;
    }
}
