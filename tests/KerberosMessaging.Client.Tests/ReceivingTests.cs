using System.Security.Cryptography;
using KerberosMessaging.Client.Tests.Support;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Client.Tests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>Whatever a message server delivers: what is not proven is not shown as said, and nothing stops the mail behind it.</summary>
public sealed class ReceivingTests : IAsyncLifetime
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 20_000;

    private readonly TempFolder _folder = new();
    private readonly ScriptedRealm _realm = new();
    private readonly ScriptedDevice _alice = new("alice");
    private readonly Ed25519PrivateKey _alicesAccountKey = Ed25519PrivateKey.Generate();
    private MessagingClient _bob = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _bob = await _realm.JoinAsync(_folder, "bob", Cancel);
        foreach (var name in new[] { "alice", "mallory" })
        {
            _realm.Add(new ScriptedClient(name));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _bob.DisposeAsync();
        await _realm.DisposeAsync();
        _alice.Dispose();
        _alicesAccountKey.Dispose();
        _folder.Dispose();
    }

    [Fact(Timeout = Patience)]
    public async Task A_message_says_who_sent_it_and_when()
    {
        StartHonestly();
        var delivery = Post(_alice.Encrypt("hello"));

        var message = Assert.Single(await _bob.ReceiveAllAsync(Cancel));

        Assert.Equal(MessageProblem.None, message.Problem);
        Assert.Equal("hello", message.Content?.Text);
        Assert.Equal(DateTimeOffset.UnixEpoch, message.Content?.SentAt);
        Assert.Equal(delivery.Message, message.Id);
        Assert.Equal(delivery.Sender, message.Sender);
        Assert.Equal(delivery.SenderDevice, message.SenderDevice);
        Assert.Equal("alice", message.SenderName);
        Assert.Equal(delivery.AcceptedAt, message.AcceptedAt);
        await AcknowledgedAsync();
    }

    [Fact(Timeout = Patience)]
    public async Task What_cannot_be_read_is_said_to_be_so_and_what_follows_is_read()
    {
        StartHonestly();
        Post(_alice.Encrypt("first"));
        var damaged = _alice.Encrypt("damaged");
        damaged.Bytes[^1] ^= 1;
        Post(damaged);
        Post([]);
        Post(RandomNumberGenerator.GetBytes(500));
        Post([2, 2, 0, 96, .. RandomNumberGenerator.GetBytes(96 + 16 + 32)]);
        Post(_alice.Encrypt("last"));

        var messages = await _bob.ReceiveAllAsync(Cancel);

        Assert.Equal(["first", null, null, null, null, "last"], messages.Select(static message => message.Content?.Text));
        Assert.All(messages[1..^1], static message => Assert.Equal(MessageProblem.Unreadable, message.Problem));
        await AcknowledgedAsync();
    }

    [Fact(Timeout = Patience)]
    public async Task A_sender_whom_another_realm_certified_is_not_trusted()
    {
        using var otherRealm = Ed25519PrivateKey.Generate();
        _alice.Start(_realm, _alice.CertifyBy(_realm, otherRealm), _bob);
        Post(_alice.Encrypt("trust me"));

        await IsUntrustedAsync();
    }

    [Fact(Timeout = Patience)]
    public async Task A_sender_without_certificate_is_not_trusted()
    {
        _alice.Start(_realm, [], _bob);
        Post(_alice.Encrypt("trust me"));

        await IsUntrustedAsync();
    }

    [Fact(Timeout = Patience)]
    public async Task A_certificate_for_another_than_the_stated_sender_is_not_trusted()
    {
        using var mallory = new ScriptedDevice("mallory");
        mallory.Start(_realm, mallory.CertifyBy(_realm, _realm.Auth.Key), _bob);
        _realm.Post("alice", mallory.Id, "bob", mallory.Encrypt("I am alice"));

        await IsUntrustedAsync();
    }

    [Fact(Timeout = Patience)]
    public async Task A_certificate_for_another_than_the_stated_device_is_not_trusted()
    {
        _alice.Start(_realm, _alice.CertifyBy(_realm, _realm.Auth.Key), _bob);
        _realm.Post("alice", DeviceId.New(), "bob", _alice.Encrypt("trust me"));

        await IsUntrustedAsync();
    }

    [Fact(Timeout = Patience)]
    public async Task A_name_that_the_certificate_does_not_bear_out_is_not_trusted()
    {
        using var mallory = new ScriptedDevice("mallory");
        mallory.Start(_realm, mallory.CertifyBy(_realm, _realm.Auth.Key), _bob);
        _realm.Post("mallory", mallory.Id, "bob", mallory.Encrypt("I am alice"), claiming: "alice");

        await IsUntrustedAsync();
    }

    [Fact(Timeout = Patience)]
    public async Task A_certificate_without_the_keys_in_it_proves_nothing()
    {
        // Mallory has alice's certificate, which is no secret, and keys of their own.
        using var mallory = new ScriptedDevice("mallory");
        mallory.Start(_realm, _alice.CertifyBy(_realm, _realm.Auth.Key), _bob);
        Post(mallory.Encrypt("I am alice"));

        var message = Assert.Single(await _bob.ReceiveAllAsync(Cancel));

        Assert.Equal(MessageProblem.Unreadable, message.Problem);
        Assert.Null(message.Content);
    }

    [Fact(Timeout = Patience)]
    public async Task A_known_device_with_other_keys_is_not_trusted()
    {
        StartHonestly();
        Post(_alice.Encrypt("hello"));
        Assert.Single(await _bob.ReceiveAllAsync(Cancel));

        using var other = new ScriptedDevice("alice");
        var certificate = _realm.Find("alice").Certify(_alice.Id, other.IdentityBytes).Sign(_realm.Auth.Key);
        other.Start(_realm, certificate, _bob);
        _realm.Post("alice", _alice.Id, "bob", other.Encrypt("new keys"));

        await IsUntrustedAsync();
    }

    [Fact(Timeout = Patience)]
    public async Task A_message_that_is_delivered_again_is_read_once()
    {
        StartHonestly();
        var envelope = _alice.Encrypt("once");
        Post(envelope);
        _realm.Post("alice", _alice.Id, "bob", envelope);

        Assert.Equal(["once"], await _bob.ReadAllAsync(Cancel));

        // The same envelope as a message of another id: it opens under none but its own.
        Post(envelope.Bytes);
        Post(_alice.Encrypt("next"));
        Assert.Equal([null, "next"], await _bob.ReadAllAsync(Cancel));
        await AcknowledgedAsync();
    }

    [Fact(Timeout = Patience)]
    public async Task Content_of_a_version_to_come_is_kept_and_said_to_be_unreadable()
    {
        StartHonestly();
        Post(_alice.Encrypt([2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 65]));
        Post(_alice.Encrypt([]));
        var unknownKind = MessageContent.OfText("?", DateTimeOffset.UnixEpoch) with { Kind = (MessageKind)999 };
        Post(_alice.Encrypt(unknownKind.ToBytes()));

        var messages = await _bob.ReceiveAllAsync(Cancel);

        Assert.Equal(3, messages.Count);
        Assert.All(messages[..2], static message => Assert.Equal((MessageProblem.Unreadable, null), (message.Problem, message.Content)));

        // A kind to come is for the reader to show as such.
        Assert.Equal(MessageProblem.None, messages[2].Problem);
        Assert.Equal((MessageKind)999, messages[2].Content?.Kind);
        Assert.Null(messages[2].Content?.Text);
    }

    [Fact(Timeout = Patience)]
    public async Task Messages_out_of_order_are_all_read()
    {
        StartHonestly();
        var envelopes = Enumerable.Range(0, 10).Select(i => _alice.Encrypt($"number {i}")).Reverse().ToList();
        envelopes.ForEach(envelope => Post(envelope));

        Assert.Equal(
            Enumerable.Range(0, 10).Reverse().Select(static i => $"number {i}"), await _bob.ReadAllAsync(Cancel));
    }

    [Fact(Timeout = Patience)]
    public async Task Another_connection_that_took_over_ends_receiving_for_good()
    {
        using (_realm.Message.TwistPushes(MessageCode.GrantCredit, static () => new Notice(NoticeKind.TakenOver, 0)))
        {
            await Refusal.OfAsync(MessagingFailure.TakenOver, async () =>
            {
                await foreach (var message in _bob.ReceiveAsync(follow: true, Cancel))
                {
                    Assert.Fail($"Nobody sent {message}.");
                }
            });
        }
    }

    private void StartHonestly() => _alice.Start(
        _realm, _alice.CertifyBy(_realm, _realm.Auth.Key), _bob, _alice.LinkBy(_realm, _alicesAccountKey));

    private Deliver Post(ScriptedEnvelope envelope) => _realm.Post("alice", _alice.Id, "bob", envelope);

    private Deliver Post(byte[] envelope) => _realm.Post("alice", _alice.Id, "bob", envelope);

    private async Task IsUntrustedAsync()
    {
        var message = Assert.Single(await _bob.ReceiveAllAsync(Cancel));
        Assert.Equal(MessageProblem.UntrustedSender, message.Problem);
        Assert.Null(message.Content);
        await AcknowledgedAsync();
    }

    private Task AcknowledgedAsync() => Eventually.TrueAsync(() => _realm.Find("bob").Mailbox.IsEmpty, Cancel);
}
