using KerberosMessaging.Client.Tests.Support;

namespace KerberosMessaging.Client.Tests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

public sealed class RealmPinTests
{
    private const string Digits = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    [Theory]
    [InlineData(Digits)]
    [InlineData("00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF")]
    [InlineData("00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF")]
    [InlineData(" 0011 2233 4455 6677 8899 aabb ccdd eeff  0011 2233 4455 6677 8899 aabb ccdd eeff ")]
    public void A_fingerprint_is_read_as_people_write_it(string text)
    {
        Assert.True(RealmPin.TryParseFingerprint(text, out var fingerprint));
        Assert.Equal(Digits, fingerprint);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0011")]
    [InlineData("00112233445566778899aabbccddeeff00112233445566778899aabbccddeef")]
    [InlineData("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff0")]
    [InlineData("00112233445566778899aabbccddeeff00112233445566778899aabbccddeefg")]
    [InlineData("００112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")]
    [InlineData("00112233445566778899aabbccddeeff\n00112233445566778899aabbccddeeff")]
    public void Anything_else_is_no_fingerprint(string text) => Assert.False(RealmPin.TryParseFingerprint(text, out _));

    [Fact]
    public void The_fingerprint_of_a_key_is_its_hash()
    {
        Assert.Equal(
            "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925", RealmPin.FingerprintOf(new byte[32]));
    }

    [Fact]
    public void Only_the_pinned_key_is_expected()
    {
        var pin = new RealmPin { Host = "localhost", Port = 1256, Fingerprint = RealmPin.FingerprintOf(new byte[32]) };
        var other = new byte[32];
        other[31] = 1;

        Assert.True(pin.IsExpectedKey(new byte[32]));
        Assert.False(pin.IsExpectedKey(other));
    }

    [Fact(Timeout = 20_000)]
    public async Task A_probe_gives_the_fingerprint_of_the_key_that_the_server_proves()
    {
        await using var realm = new ScriptedRealm();

        var probed = await RealmPin.ProbeAsync("127.0.0.1", realm.Auth.Port, TestContext.Current.CancellationToken);

        Assert.Equal(realm.Pin, probed);
        Assert.Empty(realm.Auth.Requests);
    }

    [Fact(Timeout = 20_000)]
    public async Task A_probe_where_nobody_listens_is_unreachable()
    {
        int port;
        await using (var server = new ScriptedServer())
        {
            port = server.Port;
        }

        await Refusal.OfAsync(
            MessagingFailure.Unreachable, () => RealmPin.ProbeAsync("127.0.0.1", port, TestContext.Current.CancellationToken));
        await Refusal.OfAsync(
            MessagingFailure.Unreachable,
            () => RealmPin.ProbeAsync("no such host.invalid", port, TestContext.Current.CancellationToken));
    }
}
