using CsCheck;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Tickets.Tests;

public sealed class AuthenticatorTests
{
    private static readonly SecretBytes Key = SessionKey.New();

    [Fact]
    public void What_was_sealed_is_what_opens() =>
        Gen.Select(BodyGen.Key, Gen.Byte.Array[32], Gen.Enum<MessageCode>()).Sample((key, channelBinding, request) =>
        {
            using var sessionKey = new SecretBytes(key);
            var authenticator = Authenticator.For(channelBinding);
            var opened = Authenticator.TryOpen(authenticator.Seal(sessionKey, request), sessionKey, request, channelBinding);

            return opened is not null
                && opened.Nonce.AsSpan().SequenceEqual(authenticator.Nonce)
                && opened.ChannelBinding.AsSpan().SequenceEqual(channelBinding);
        });

    [Fact]
    public void Every_authenticator_has_a_nonce_of_its_own() =>
        Assert.NotEqual(Authenticator.For(Realm.ChannelBinding).Nonce, Authenticator.For(Realm.ChannelBinding).Nonce);

    [Fact]
    public void No_bit_of_an_authenticator_can_change()
    {
        var authenticator = New();

        Assert.All(Flips.Of(authenticator), changed => Assert.Null(Open(changed)));
        Assert.All(Flips.Lengths(authenticator), changed => Assert.Null(Open(changed)));
        Assert.NotNull(Open(authenticator));
    }

    [Fact]
    public void An_authenticator_of_one_request_does_not_serve_another()
    {
        var authenticator = New();

        Assert.All(
            Enum.GetValues<MessageCode>().Where(code => code != MessageCode.PresentTicket),
            code => Assert.Null(Authenticator.TryOpen(authenticator, Key, code, Realm.ChannelBinding)));
    }

    [Fact]
    public void An_authenticator_of_one_channel_does_not_serve_another() =>
        Assert.All(
            Flips.Of(Realm.ChannelBinding),
            binding => Assert.Null(Authenticator.TryOpen(New(), Key, MessageCode.PresentTicket, binding)));

    [Fact]
    public void An_authenticator_under_another_session_key_does_not_open()
    {
        using var other = SessionKey.New();

        Assert.Null(Authenticator.TryOpen(New(), other, MessageCode.PresentTicket, Realm.ChannelBinding));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(63)]
    [InlineData(65)]
    public void An_authenticator_that_its_own_maker_sealed_wrongly_is_refused_like_any_other(int length)
    {
        byte[] plaintext = [.. Realm.ChannelBinding, .. new byte[33]];
        byte[] presentTicket = [1028 >> 8, 1028 & 0xFF];

        Assert.Null(Open(TicketKeys.Seal(Key.Span, TicketKeys.Authenticator, plaintext.AsSpan(0, length), presentTicket)));
        Assert.NotNull(Open(TicketKeys.Seal(Key.Span, TicketKeys.Authenticator, plaintext.AsSpan(0, 64), presentTicket)));
    }

    [Fact]
    public void The_key_for_the_channel_is_64_bytes_and_depends_on_session_key_and_nonce()
    {
        byte[] nonce = [.. Enumerable.Range(1, 32).Select(value => (byte)value)];
        using var other = SessionKey.New();
        using var mix = SessionKey.ForChannel(Key, nonce);
        using var again = SessionKey.ForChannel(Key, nonce);
        using var otherNonce = SessionKey.ForChannel(Key, [.. nonce.AsSpan(1), 0]);
        using var otherKey = SessionKey.ForChannel(other, nonce);

        Assert.Equal(64, mix.Length);
        Assert.Equal(mix.Span.ToArray(), again.Span.ToArray());
        Assert.NotEqual(mix.Span.ToArray(), otherNonce.Span.ToArray());
        Assert.NotEqual(mix.Span.ToArray(), otherKey.Span.ToArray());
    }

    private static byte[] New() => Authenticator.For(Realm.ChannelBinding).Seal(Key, MessageCode.PresentTicket);

    private static Authenticator? Open(byte[] authenticator) =>
        Authenticator.TryOpen(authenticator, Key, MessageCode.PresentTicket, Realm.ChannelBinding);
}
