using KerberosMessaging.Client.Connections;
using KerberosMessaging.Client.Store;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Tickets;

namespace KerberosMessaging.Client.Tests;

/// <summary>What a program may log or show by mistake holds neither content nor keys.</summary>
public sealed class RedactionTests
{
    private static readonly byte[] Secret = [0xDE, 0xAD, 0xBE, 0xEF];

    [Fact]
    public void Content_prints_its_kind_and_size() =>
        Assert.Equal("Text, 6 bytes", MessageContent.OfText("secret", DateTimeOffset.UnixEpoch).ToString());

    [Fact]
    public void A_received_message_prints_its_id()
    {
        var message = new ReceivedMessage
        {
            Id = MessageId.New(),
            Sender = ClientId.New(),
            SenderName = "alice",
            SenderDevice = DeviceId.New(),
            AcceptedAt = DateTimeOffset.UnixEpoch,
            Content = MessageContent.OfText("secret", DateTimeOffset.UnixEpoch),
            Problem = MessageProblem.None,
        };

        Assert.Equal($"message {message.Id}", message.ToString());
    }

    [Fact]
    public void Tickets_print_no_bytes()
    {
        var times = new TicketTimes(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch);
        using var ticket = new CachedTicket(Secret, SecretBytes.Random(32), times);
        using var cipher = new StoreCipher(SecretBytes.Random(64));

        AssertHidden($"{ticket} {ticket.SessionKey} {cipher}");
    }

    [Fact]
    public void What_waits_in_the_outbox_prints_no_bytes() =>
        AssertHidden(new OutboxEntry(MessageId.New(), ClientId.New(), null, Secret, Secret).ToString());

    private static void AssertHidden(string printed)
    {
        Assert.DoesNotContain("DEADBEEF", printed, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("222", printed, StringComparison.Ordinal);
    }
}
