using CsCheck;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Tickets.Tests;

public sealed class ReplyPartTests
{
    private static readonly SecretBytes Key = SessionKey.New();
    private static readonly byte[] Ticket = [.. Enumerable.Range(0, 40).Select(value => (byte)value)];
    private static readonly byte[] Nonce = [.. Enumerable.Range(50, 32).Select(value => (byte)value)];

    [Fact]
    public void What_the_AS_reply_seals_is_what_opens()
    {
        var keys = Gen.OneOf(Gen.Byte.Array[32], Gen.Byte.Array[64]);
        var certificate = Gen.Byte.Array[0, ProtocolLimits.CertificateBytes];
        Gen.Select(keys, BodyGen.Body, BodyGen.Time, certificate, Gen.Bool).Sample((key, body, serverTime, certified, wantsNew) =>
        {
            using var replyKey = new SecretBytes(key);
            var part = new AsReplyPart
            {
                SessionKey = body.SessionKey,
                Session = body.Session,
                Client = body.Client,
                ClientName = body.ClientName,
                ServerTime = serverTime,
                Times = body.Times,
                Certificate = certified,
                WantsNewRecord = wantsNew,
            };
            var sealedPart = part.Seal(replyKey, Ticket);
            using var opened = AsReplyPart.TryOpen(sealedPart, replyKey, Ticket);

            return opened is not null
                && opened.SessionKey.Span.SequenceEqual(part.SessionKey.Span)
                && opened.Session == part.Session
                && opened.Client == part.Client
                && opened.ClientName == part.ClientName
                && opened.ServerTime == part.ServerTime
                && opened.Times == part.Times
                && opened.Certificate.AsSpan().SequenceEqual(part.Certificate)
                && opened.WantsNewRecord == part.WantsNewRecord
                && sealedPart.Length <= ProtocolLimits.SealedPartBytes;
        });
    }

    [Fact]
    public void What_the_TGS_reply_seals_is_what_opens() =>
        Gen.Select(BodyGen.Key, BodyGen.Key, Gen.Guid, BodyGen.Time, BodyGen.Times).Sample((key, sessionKey, server, serverTime, times) =>
        {
            using var replyKey = new SecretBytes(key);
            using var part = new TgsReplyPart
            {
                SessionKey = new SecretBytes(sessionKey),
                Server = new ServerId(server),
                ServerTime = serverTime,
                Times = times,
            };
            using var opened = TgsReplyPart.TryOpen(part.Seal(replyKey, Ticket), replyKey, Ticket);

            return opened is not null
                && opened.SessionKey.Span.SequenceEqual(sessionKey)
                && opened.Server == part.Server
                && opened.ServerTime == serverTime
                && opened.Times == times;
        });

    [Fact]
    public void What_the_AP_reply_seals_is_what_opens() =>
        Gen.Select(BodyGen.Key, Gen.Byte.Array[32], BodyGen.Time, BodyGen.Time).Sample((key, nonce, serverTime, endsAt) =>
        {
            using var sessionKey = new SecretBytes(key);
            var opened = ApReplyPart.TryOpen(new ApReplyPart(nonce, serverTime, endsAt).Seal(sessionKey), sessionKey, nonce);

            return opened is not null && opened.ServerTime == serverTime && opened.EndsAt == endsAt;
        });

    [Fact]
    public void No_bit_of_a_reply_part_can_change()
    {
        var asReply = AsReply();
        var tgsReply = TgsReply();
        var apReply = ApReply();

        Assert.All(Flips.Of(asReply), changed => Assert.Null(AsReplyPart.TryOpen(changed, Key, Ticket)));
        Assert.All(Flips.Of(tgsReply), changed => Assert.Null(TgsReplyPart.TryOpen(changed, Key, Ticket)));
        Assert.All(Flips.Of(apReply), changed => Assert.Null(ApReplyPart.TryOpen(changed, Key, Nonce)));
    }

    [Fact]
    public void A_reply_part_of_another_length_is_no_reply_part()
    {
        Assert.All(Flips.Lengths(AsReply()), changed => Assert.Null(AsReplyPart.TryOpen(changed, Key, Ticket)));
        Assert.All(Flips.Lengths(TgsReply()), changed => Assert.Null(TgsReplyPart.TryOpen(changed, Key, Ticket)));
        Assert.All(Flips.Lengths(ApReply()), changed => Assert.Null(ApReplyPart.TryOpen(changed, Key, Nonce)));
    }

    [Fact]
    public void A_reply_part_belongs_to_one_ticket()
    {
        byte[] other = [.. Ticket, 0];

        Assert.Null(AsReplyPart.TryOpen(AsReply(), Key, other));
        Assert.Null(TgsReplyPart.TryOpen(TgsReply(), Key, other));
        Assert.All(Flips.Of(Ticket), changed => Assert.Null(TgsReplyPart.TryOpen(TgsReply(), Key, changed)));
    }

    [Fact]
    public void A_reply_part_opens_with_its_own_key_alone()
    {
        using var other = SessionKey.New();

        Assert.Null(AsReplyPart.TryOpen(AsReply(), other, Ticket));
        Assert.Null(TgsReplyPart.TryOpen(TgsReply(), other, Ticket));
        Assert.Null(ApReplyPart.TryOpen(ApReply(), other, Nonce));
    }

    [Fact]
    public void A_proof_for_another_nonce_is_no_proof() =>
        Assert.All(Flips.Of(Nonce), changed => Assert.Null(ApReplyPart.TryOpen(ApReply(), Key, changed)));

    [Fact]
    public void A_part_sealed_for_one_purpose_does_not_open_for_another()
    {
        // The same key, the same fields, no associated data: only the label differs.
        var fields = new byte[48];
        Nonce.CopyTo(fields, 0);

        Assert.NotNull(ApReplyPart.TryOpen(TicketKeys.Seal(Key.Span, TicketKeys.ApReply, fields, []), Key, Nonce));
        Assert.Null(ApReplyPart.TryOpen(TicketKeys.Seal(Key.Span, TicketKeys.TgsReply, fields, []), Key, Nonce));
        Assert.Null(ApReplyPart.TryOpen(TicketKeys.Seal(Key.Span, TicketKeys.Authenticator, fields, []), Key, Nonce));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(47)]
    [InlineData(49)]
    [InlineData(200)]
    public void A_part_that_its_own_maker_sealed_wrongly_is_refused_like_any_other(int length)
    {
        var fields = new byte[length];

        Assert.Null(AsReplyPart.TryOpen(TicketKeys.Seal(Key.Span, TicketKeys.AsReply, fields, Ticket), Key, Ticket));
        Assert.Null(TgsReplyPart.TryOpen(TicketKeys.Seal(Key.Span, TicketKeys.TgsReply, fields, Ticket), Key, Ticket));
        Assert.Null(ApReplyPart.TryOpen(TicketKeys.Seal(Key.Span, TicketKeys.ApReply, fields, []), Key, new byte[32]));
    }

    private static byte[] AsReply() => new AsReplyPart
    {
        SessionKey = SessionKey.New(),
        Session = SessionId.New(),
        Client = ClientId.New(),
        ClientName = "alice",
        ServerTime = Realm.Now,
        Times = Realm.Times,
        Certificate = [1, 2, 3],
    }.Seal(Key, Ticket);

    private static byte[] TgsReply() => new TgsReplyPart
    {
        SessionKey = SessionKey.New(),
        Server = Realm.Server,
        ServerTime = Realm.Now,
        Times = Realm.Times,
    }.Seal(Key, Ticket);

    private static byte[] ApReply() => new ApReplyPart(Nonce, Realm.Now, Realm.Now.AddMinutes(10)).Seal(Key);
}
