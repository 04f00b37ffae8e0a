namespace KerberosMessaging.Cryptography.Tests;

public sealed class OpaqueFakeRecordTests : IDisposable
{
    private static readonly byte[] Nobody = "nobody"u8.ToArray();
    private readonly OpaqueScenario _scenario = new();

    public void Dispose() => _scenario.Dispose();

    [Fact]
    public void Answers_to_two_names_without_an_account_have_nothing_in_common()
    {
        using var client = OpaqueClientLogin.Start(OpaqueScenario.Password);
        var first = Ke2(client, Nobody, Bytes.Random(32), Bytes.Random(32), Bytes.Random(32));
        var other = Ke2(client, "someone"u8.ToArray(), Bytes.Random(32), Bytes.Random(32), Bytes.Random(32));
        Assert.NotEqual(first[..32], other[..32]);
        Assert.NotEqual(first[64..192], other[64..192]);
    }

    [Fact]
    public void Fake_record_follows_from_the_seed_and_not_from_the_private_key()
    {
        var (seed, privateKey) = OpaqueServer.GenerateKeys();
        using var restarted = new OpaqueServer(_scenario.OprfSeed, privateKey.Span);
        using var stranger = new OpaqueServer(seed.Span, privateKey.Span);
        seed.Dispose();
        privateKey.Dispose();
        var record = _scenario.Server.FakeRecord.ToArray();
        var other = stranger.FakeRecord.ToArray();
        Assert.Equal(record, restarted.FakeRecord);
        Assert.NotEqual(record[..32], other[..32]);
        Assert.NotEqual(record[32..96], other[32..96]);
    }

    [Fact]
    public void Fake_record_is_shaped_like_a_real_one_with_a_zero_envelope()
    {
        var record = _scenario.Server.FakeRecord.ToArray();
        Assert.Equal(_scenario.Record.Length, record.Length);
        Assert.True(Opaque.IsWellFormedRecord(record));
        Assert.Equal(new byte[Opaque.EnvelopeSize], record[96..]);
    }

    [Fact]
    public void Answer_from_a_fake_record_varies_only_with_its_random_values()
    {
        using var client = OpaqueClientLogin.Start(OpaqueScenario.Password);
        var nonce = Bytes.Random(32);
        var serverNonce = Bytes.Random(32);
        var seed = Bytes.Random(32);
        var first = Ke2(client, Nobody, nonce, serverNonce, seed);
        Assert.Equal(first, Ke2(client, Nobody, nonce, serverNonce, seed));
        Assert.Equal(Opaque.Ke2Size, first.Length);

        var fresh = Ke2(client, Nobody, Bytes.Random(32), Bytes.Random(32), Bytes.Random(32));
        Assert.Equal(first[..32], fresh[..32]);
        Assert.NotEqual(first[64..192], fresh[64..192]);
    }

    [Fact]
    public void Masked_response_shows_neither_public_key_nor_zero_envelope()
    {
        using var client = OpaqueClientLogin.Start(OpaqueScenario.Password);
        var ke2 = Ke2(client, Nobody, Bytes.Random(32), Bytes.Random(32), Bytes.Random(32));
        Assert.NotEqual(_scenario.Server.PublicKey.ToArray(), ke2[64..96]);
        Assert.True(ke2.AsSpan(96, 96).Count((byte)0) < 16);
    }

    [Fact]
    public void No_password_logs_in_against_a_fake_record()
    {
        using var client = OpaqueClientLogin.Start(OpaqueScenario.Password);
        using var server = _scenario.Answer(client.Ke1.Span, _scenario.Server.FakeRecord.ToArray());
        Assert.False(OpaqueScenario.TryFinish(client, server.Ke2.Span, out _));
        Assert.False(server.TryFinish(Bytes.Random(Opaque.Ke3Size), out _));
    }

    private byte[] Ke2(OpaqueClientLogin client, byte[] account, byte[] maskingNonce, byte[] serverNonce, byte[] seed)
    {
        using var randomness = new OpaqueServerRandomness(maskingNonce, serverNonce, seed);
        Assert.True(_scenario.Server.TryStartLogin(
            _scenario.Server.FakeRecord,
            client.Ke1.Span,
            account,
            OpaqueScenario.ServerIdentity,
            "nobody"u8,
            OpaqueScenario.Context,
            randomness,
            out var login));
        using (login)
        {
            return login.Ke2.ToArray();
        }
    }
}
