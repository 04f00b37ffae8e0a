using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Tickets.Tests;

/// <summary>What a log or a debugger shows of something that holds a secret.</summary>
public sealed class RedactionTests
{
    private static readonly byte[] Secret = [.. Enumerable.Range(200, 32).Select(value => (byte)value)];

    [Fact]
    public void A_ticket_prints_its_session_id_alone()
    {
        using var body = Realm.NewBody();

        Assert.Equal($"ticket of session {body.Session}", body.ToString());
    }

    [Fact]
    public void Nothing_that_holds_a_secret_prints_it()
    {
        object[] holders =
        [
            new SecretBytes(Secret),
            SessionKey.ForChannel(new SecretBytes(Secret), Secret),
            new Authenticator(Secret, Secret),
            new ApReplyPart(Secret, Realm.Now, Realm.Now),
            new AsReplyPart
            {
                SessionKey = new SecretBytes(Secret),
                Session = SessionId.New(),
                Client = ClientId.New(),
                ClientName = "alice",
                ServerTime = Realm.Now,
                Times = Realm.Times,
                Certificate = Secret,
            },
            PreviousKeys.TryOpen(PreviousKeys.Seal(new SecretBytes(Secret), [new SecretBytes([.. Secret, .. Secret])]), new SecretBytes(Secret))!,
            new TgsReplyPart
            {
                SessionKey = new SecretBytes(Secret),
                Server = Realm.Server,
                ServerTime = Realm.Now,
                Times = Realm.Times,
            },
        ];

        Assert.All(holders, holder =>
        {
            var text = holder.ToString();
            Assert.DoesNotContain(Convert.ToHexString(Secret, 0, 2), text, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("200", text, StringComparison.Ordinal);
            Assert.DoesNotContain(Convert.ToBase64String(Secret)[..4], text, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void A_disposed_ticket_or_part_has_no_key_any_more()
    {
        var body = Realm.NewBody();
        var part = new TgsReplyPart { SessionKey = SessionKey.New(), Server = Realm.Server, ServerTime = Realm.Now, Times = Realm.Times };
        body.Dispose();
        part.Dispose();

        Assert.Throws<ObjectDisposedException>(() => body.SessionKey.Span.Length);
        Assert.Throws<ObjectDisposedException>(() => part.SessionKey.Span.Length);
    }
}
