using System.Security.Cryptography;
using System.Text;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;

namespace KerberosMessaging.AuthServer.Tests.Attacks;

/// <summary>
/// Somebody has everything that passed between a client and the realm, even in clear, and a list with the right password on
/// it. The client does not stretch here, which only helps the attacker.
/// </summary>
public sealed class OfflineGuessingTests : IAsyncLifetime
{
    private const string Right = "sommer2026";

    private static readonly string[] Dictionary = ["123456", "sommer2025", Right, "Sommer2026", "alice", ""];

    private readonly QuickAccount _alice = new("alice", Right);
    private TestServer _server = null!;
    private TestClient _client = null!;
    private TestMessageServer _messages = null!;

    // What passes over the channel, in the order of Registration and AS exchange.
    private byte[] _registrationRequest = null!;
    private RegistrationChallenge _registrationChallenge = null!;
    private byte[] _record = null!;
    private byte[] _ke1 = null!;
    private byte[] _ke2 = null!;
    private byte[] _ke3 = null!;
    private TicketGranted _granted = null!;

    // What never leaves the client.
    private byte[] _blind = null!;
    private SecretBytes _sessionKey = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        _messages = await _server.EnrolAsync();
        _client = await _server.ConnectAsync();
        await RegisterAsync();
        await LogInAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public void A_registration_seen_in_clear_tells_the_right_password_from_no_other()
    {
        // Control: whoever knows the blind has the client's own view, and in it only the right password fits.
        Assert.Equal([Right], Dictionary.Where(word => FitsRecord(
            OpaqueInside.Derive(Bytes(word), _blind, _registrationChallenge.RegistrationResponse[..32], None).Randomized)));

        foreach (var (what, key) in AttackersKeys(_registrationRequest, _registrationChallenge.RegistrationResponse[..32]))
        {
            Assert.False(FitsRecord(key), what);
        }
    }

    [Fact]
    public void A_login_seen_in_clear_tells_the_right_password_from_no_other()
    {
        foreach (var (what, key) in AttackersKeys(_ke1[..32], _ke2[..32]))
        {
            Assert.False(Unmasks(key, _ke2), what);
        }
    }

    [Fact]
    public void With_the_OPRF_key_every_password_could_be_tried_so_it_is_what_guards_them()
    {
        Assert.Equal([Right], Dictionary.Where(word => Unmasks(Guess(word), _ke2)));
        Assert.Equal([Right], Dictionary.Where(word => FitsRecord(Guess(word))));

        byte[] Guess(string word)
        {
            using var registration = OpaqueClientRegistration.Start(Bytes(word));
            var blind = OpaqueInside.BlindOf(registration);
            var response = new byte[Opaque.RegistrationResponseSize];
            Assert.True(_server.Keys.Opaque(1).TryCreateRegistrationResponse(registration.Request.Span, Bytes("alice"), response));
            return OpaqueInside.Derive(Bytes(word), blind, response[..32], None).Randomized;
        }
    }

    [Fact]
    public void A_stolen_database_is_worth_nothing_without_the_OPRF_key()
    {
        // The thief runs a server of its own with the stolen record.
        var (seed, privateKey) = OpaqueServer.GenerateKeys();
        using var own = new OpaqueServer(seed.Span, privateKey.Span);
        foreach (var word in Dictionary)
        {
            using var login = OpaqueClientLogin.Start(Bytes(word));
            Assert.True(own.TryStartLogin(
                _record, login.Ke1.Span, Bytes("alice"), [], [], LoginProof.OpaqueContext(_client.ChannelBinding.Span), out var answer));
            using (answer)
            {
                Assert.Null(QuickOpaque.Finish(login, answer.Ke2.ToArray(), _client.ChannelBinding));
            }
        }

        // Control: with the realm's keys the right password opens the record.
        using var right = OpaqueClientLogin.Start(Bytes(Right));
        Assert.True(_server.Keys.Opaque(1).TryStartLogin(
            _record, right.Ke1.Span, Bytes("alice"), [], [], LoginProof.OpaqueContext(_client.ChannelBinding.Span), out var genuine));
        using (genuine)
        {
            Assert.NotNull(QuickOpaque.Finish(right, genuine.Ke2.ToArray(), _client.ChannelBinding));
        }
    }

    [Fact]
    public async Task A_challenge_is_good_for_the_one_password_that_was_asked_with()
    {
        // The attacker asks itself, so it knows the blind; every further word would need a challenge of its own.
        await using var attacker = await _server.ConnectAsync();
        using var asked = OpaqueClientRegistration.Start(Bytes("123456"));
        var blind = OpaqueInside.BlindOf(asked);
        using var login = OpaqueClientLogin.Start("123456"u8);
        var ke1 = login.Ke1.ToArray();
        asked.Request.Span.CopyTo(ke1);
        var challenge = await attacker.RequestAsync<LoginChallenge>(new StartLoginRequest("alice", ke1));

        Assert.DoesNotContain(
            Dictionary, word => Unmasks(OpaqueInside.Derive(Bytes(word), blind, challenge.Ke2[..32], None).Randomized, challenge.Ke2));

        // Control: had it asked with the right one, it would know.
        using var askedRight = OpaqueClientRegistration.Start(Bytes(Right));
        var rightBlind = OpaqueInside.BlindOf(askedRight);
        askedRight.Request.Span.CopyTo(ke1);
        challenge = await attacker.RequestAsync<LoginChallenge>(new StartLoginRequest("alice", ke1));
        Assert.Equal(
            [Right],
            Dictionary.Where(word => Unmasks(
                OpaqueInside.Derive(Bytes(word), rightBlind, challenge.Ke2[..32], None).Randomized, challenge.Ke2)));
    }

    [Fact]
    public async Task What_the_realm_seals_is_under_no_key_that_comes_from_a_password()
    {
        var ticket = new TestTicket(_granted.Ticket, AsReplyPart.TryOpen(_granted.SealedPart, _sessionKey, _granted.Ticket)!);
        var (serviceTicket, part) = await _client.RequestServiceTicketAsync(ticket, _messages.Registered.Server);
        part.Dispose();
        foreach (var (what, bytes) in AttackersKeys(_ke1[..32], _ke2[..32]))
        {
            using var key = new SecretBytes(bytes.AsSpan(0, 64));
            Assert.True(AsReplyPart.TryOpen(_granted.SealedPart, key, _granted.Ticket) is null, $"AS reply: {what}");
            Assert.True(TicketGrantingTicket.TryOpen(_granted.Ticket, key.Span) is null, $"ticket-granting ticket: {what}");
            Assert.True(_messages.WithServiceKey(1, bytes[..32]).Open(serviceTicket) is null, $"service ticket: {what}");
        }

        // Control: under the keys that are nobody's password all three open.
        Assert.NotNull(TicketGrantingTicket.TryOpen(_granted.Ticket, _server.Keys.TicketKey.Key.Span));
        Assert.NotNull(_messages.Open(serviceTicket));
    }

    private static StretchingParameters None => new(StretchingAlgorithm.Identity, 0, 0);

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    // Every key that the attacker can make of a word and of what it saw, without the client's blind and the realm's OPRF key.
    private static IEnumerable<(string What, byte[] Key)> AttackersKeys(byte[] blinded, byte[] evaluated)
    {
        var one = new byte[32];
        one[0] = 1;
        var any = OpaqueInside.BlindOf(OpaqueClientRegistration.Start("any"u8));
        var (seed, privateKey) = OpaqueServer.GenerateKeys();
        using var own = new OpaqueServer(seed.Span, privateKey.Span);
        foreach (var word in Dictionary)
        {
            yield return ($"{word}: a hash of it", SHA512.HashData(Bytes(word)));
            yield return ($"{word}: stretched with the name", Rfc2898DeriveBytes.Pbkdf2(Bytes(word), Bytes("alice"), 2, HashAlgorithmName.SHA512, 64));
            yield return ($"{word}: extracted", HKDF.Extract(HashAlgorithmName.SHA512, Bytes(word), evaluated));
            yield return ($"{word}: the answer taken as not blinded", OpaqueInside.Derive(Bytes(word), one, evaluated, None).Randomized);
            yield return ($"{word}: the question taken as the answer", OpaqueInside.Derive(Bytes(word), one, blinded, None).Randomized);
            yield return ($"{word}: a blind of its own", OpaqueInside.Derive(Bytes(word), any, evaluated, None).Randomized);

            using var registration = OpaqueClientRegistration.Start(Bytes(word));
            var blind = OpaqueInside.BlindOf(registration);
            var response = new byte[Opaque.RegistrationResponseSize];
            Assert.True(own.TryCreateRegistrationResponse(registration.Request.Span, Bytes("alice"), response));
            yield return ($"{word}: an OPRF key of its own", OpaqueInside.Derive(Bytes(word), blind, response[..32], None).Randomized);
        }
    }

    // The masking key of a record, RFC 9807, section 5.2.3.
    private static byte[] MaskingKey(byte[] randomizedPassword) =>
        HKDF.Expand(HashAlgorithmName.SHA512, randomizedPassword, 64, "MaskingKey"u8.ToArray());

    private bool FitsRecord(byte[] randomizedPassword) => MaskingKey(randomizedPassword).AsSpan().SequenceEqual(_record.AsSpan(32, 64));

    // RFC 9807, section 6.3.2.3: the right key shows the server's public key, which is no secret.
    private bool Unmasks(byte[] randomizedPassword, byte[] ke2)
    {
        byte[] info = [.. ke2.AsSpan(32, 32), .. "CredentialResponsePad"u8];
        var pad = HKDF.Expand(HashAlgorithmName.SHA512, MaskingKey(randomizedPassword), 128, info);
        var masked = ke2.AsSpan(64, 32).ToArray();
        for (var i = 0; i < masked.Length; i++)
        {
            masked[i] ^= pad[i];
        }

        return masked.AsSpan().SequenceEqual(_registrationChallenge.RegistrationResponse.AsSpan(32, 32));
    }

    private async Task RegisterAsync()
    {
        using var registration = OpaqueClientRegistration.Start(_alice.PasswordBytes);
        _blind = OpaqueInside.BlindOf(registration);
        _registrationRequest = registration.Request.ToArray();
        _registrationChallenge = await _client.RequestAsync<RegistrationChallenge>(new RegisterClientRequest("alice", "", _registrationRequest));
        using var result = QuickOpaque.Finish(registration, _registrationChallenge.RegistrationResponse);
        _record = result.Record;
        await _client.RequestAsync<ClientRegistered>(new FinishRegistrationRequest("alice", _record, _registrationChallenge.Stretching));
    }

    private async Task LogInAsync()
    {
        using var login = OpaqueClientLogin.Start(_alice.PasswordBytes);
        _ke1 = login.Ke1.ToArray();
        _ke2 = (await _client.StartLoginAsync("alice", login)).Ke2;
        using var proven = QuickOpaque.Finish(login, _ke2, _client.ChannelBinding)!;
        _ke3 = proven.Ke3;
        _sessionKey = proven.SessionKey.Clone();
        _granted = await _client.RequestAsync<TicketGranted>(_alice.Device.Finish(_ke3, _client.ChannelBinding));
    }
}
