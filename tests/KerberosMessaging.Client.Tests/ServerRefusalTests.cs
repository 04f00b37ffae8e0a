using KerberosMessaging.Client.Connections;
using KerberosMessaging.Client.Store;
using KerberosMessaging.Client.Tests.Support;
using KerberosMessaging.Cryptography;
using KerberosMessaging.EndToEnd;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Client.Tests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>What a logged-in client does not let servers do to it.</summary>
public sealed class ServerRefusalTests : IAsyncDisposable
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 30_000;

    // Enough for a login on a busy machine; what cannot be reached is tried for as long.
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(4);

    private readonly TempFolder _folder = new();
    private readonly ScriptedRealm _realm = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private int Sent => _realm.Message.Requests.Count(static request => request.Code == MessageCode.SendMessage);

    public async ValueTask DisposeAsync()
    {
        await _realm.DisposeAsync();
        _folder.Dispose();
    }

    [Theory(Timeout = Patience)]
    [InlineData("unsigned")]
    [InlineData("signed by another")]
    public async Task Prekeys_that_the_recipients_device_did_not_sign_are_not_encrypted_to(string what)
    {
        await using var alice = await _realm.JoinAsync(_folder, "alice", Cancel);
        await using var bob = await _realm.JoinAsync(_folder, "bob", Cancel);
        using var mallory = DeviceIdentity.Generate();
        using var mallorysPrekeys = DevicePrekeys.Generate(mallory, DateTimeOffset.UnixEpoch);
        _realm.Message.Twist(MessageCode.FetchPrekeys, reply =>
        {
            var (device, bundle, _) = ((PrekeysReply)reply!).Bundles[0];
            bundle = [.. bundle];
            bundle[^1] ^= 1;
            return new PrekeysReply([new DevicePrekeyBundle(device, what == "unsigned" ? bundle : mallorysPrekeys.Bundle.ToBytes(), [])]);
        });

        await Refusal.OfAsync(MessagingFailure.UntrustedServer, () => alice.SendTextAsync("bob", "secret", Cancel));

        Assert.Equal(0, Sent);
    }

    [Fact(Timeout = Patience)]
    public async Task Prekeys_that_are_none_leave_the_recipient_not_ready()
    {
        await using var alice = await _realm.JoinAsync(_folder, "alice", Cancel);
        await using var bob = await _realm.JoinAsync(_folder, "bob", Cancel);
        _realm.Message.Twist(
            MessageCode.FetchPrekeys, reply => new PrekeysReply([new DevicePrekeyBundle(bob.Device, [1, 2, 3], [])]));

        await Refusal.OfAsync(MessagingFailure.RecipientNotReady, () => alice.SendTextAsync("bob", "secret", Cancel));

        Assert.Equal(0, Sent);
    }

    [Theory(Timeout = Patience)]
    [InlineData("certificate of another realm")]
    [InlineData("certificate of another client")]
    [InlineData("entry of another client")]
    [InlineData("no certificate at all")]
    public async Task A_look_up_that_gives_someone_elses_devices_is_not_believed(string what)
    {
        await using var alice = await _realm.JoinAsync(_folder, "alice", Cancel);
        await using var bob = await _realm.JoinAsync(_folder, "bob", Cancel);
        await using var mallory = await _realm.JoinAsync(_folder, "mallory", Cancel);
        using var otherRealm = Ed25519PrivateKey.Generate();
        using var identity = DeviceIdentity.Generate();
        _realm.Auth.On<LookUpClientRequest>(request => request.Name != "bob" ? _realm.LookUp(request.Name) : what switch
        {
            "certificate of another realm" => _realm.LookUp("bob") with
            {
                Devices = [new FoundDevice(_realm.Find("bob").Certify(bob.Device, identity.Public.ToBytes()).Sign(otherRealm), [])],
            },
            "certificate of another client" => _realm.LookUp("bob") with { Devices = _realm.LookUp("mallory").Devices },
            "entry of another client" => _realm.LookUp("mallory"),
            _ => _realm.LookUp("bob") with { Devices = [new FoundDevice([], [])] },
        });

        await Refusal.OfAsync(MessagingFailure.IdentityChanged, () => alice.SendTextAsync("bob", "secret", Cancel));
        await Refusal.OfAsync(MessagingFailure.IdentityChanged, () => alice.GetContactAsync("bob", Cancel));

        Assert.Equal(0, Sent);
    }

    [Theory(Timeout = Patience)]
    [InlineData("another client under the name")]
    [InlineData("other keys for the device")]
    public async Task A_pinned_contact_is_never_silently_replaced(string what)
    {
        await using var alice = await _realm.JoinAsync(_folder, "alice", Cancel);
        await using var bob = await _realm.JoinAsync(_folder, "bob", Cancel);
        await alice.SendTextAsync("bob", "before", Cancel);

        // All of it signed by the realm: the realm itself was taken over.
        var client = _realm.Find("bob");
        using var identity = DeviceIdentity.Generate();
        if (what == "another client under the name")
        {
            client.Id = ClientId.New();
        }

        client.Certificates[bob.Device] = client.Certify(bob.Device, identity.Public.ToBytes()).Sign(_realm.Auth.Key);

        await Refusal.OfAsync(MessagingFailure.IdentityChanged, () => alice.GetContactAsync("bob", Cancel));
        await Refusal.OfAsync(MessagingFailure.IdentityChanged, () => alice.SendTextAsync("bob", "after", Cancel));

        Assert.Equal(1, Sent);
    }

    [Fact(Timeout = Patience)]
    public async Task A_device_that_the_realm_slipped_in_is_shown_and_gets_nothing_until_it_is_accepted()
    {
        await using var alice = await _realm.JoinAsync(_folder, "alice", Cancel);
        await using var bob = await _realm.JoinAsync(_folder, "bob", Cancel);
        alice.MarkVerified(await alice.GetContactAsync("bob", Cancel));
        using var identity = DeviceIdentity.Generate();
        using var prekeys = DevicePrekeys.Generate(identity, DateTimeOffset.UnixEpoch);
        var device = DeviceId.New();
        _realm.Find("bob").Certificates[device] = _realm.Find("bob").Certify(device, identity.Public.ToBytes()).Sign(_realm.Auth.Key);
        _realm.Find("bob").Prekeys[device] = prekeys.Bundle.ToBytes();

        var contact = await alice.GetContactAsync("bob", Cancel);

        Assert.Equal(ContactVerification.Verified, contact.Verification);
        Assert.Equal(DeviceStanding.Unlinked, contact.Devices.Single(known => known.Device == device).Standing);
        Assert.Equal(1, (await alice.SendTextAsync("bob", "secret", Cancel)).Devices);
        alice.AcceptDevice(contact, device);
        Assert.Equal(2, (await alice.SendTextAsync("bob", "secret", Cancel)).Devices);
    }

    [Theory(Timeout = Patience)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_contact_with_another_account_key_is_not_written_to_until_that_is_accepted(bool wasVerified)
    {
        await using var alice = await _realm.JoinAsync(_folder, "alice", Cancel);
        await using var bob = await _realm.JoinAsync(_folder, "bob", Cancel);
        var before = await alice.GetContactAsync("bob", Cancel);
        if (wasVerified)
        {
            alice.MarkVerified(before);
        }

        using var accountKey = Ed25519PrivateKey.Generate();
        var client = _realm.Find("bob");
        var certificate = Tickets.DeviceCertificate.TryRead(client.Certificates[bob.Device], _realm.Auth.Key.PublicKey.Span)!;
        client.Links[bob.Device] = Tickets.DeviceLink.Sign(
            accountKey, client.Id, bob.Device, [.. certificate.SigningKey, .. certificate.AgreementKey]);

        var changed = await alice.GetContactAsync("bob", Cancel);

        Assert.Equal(ContactVerification.Changed, changed.Verification);
        Assert.NotEqual(before.SafetyNumber, changed.SafetyNumber);
        await Refusal.OfAsync(MessagingFailure.IdentityChanged, () => alice.SendTextAsync("bob", "secret", Cancel));
        Assert.Equal(0, Sent);

        alice.AcceptIdentity(changed);
        await alice.SendTextAsync("bob", "hello", Cancel);
        Assert.Equal(1, Sent);
        Assert.Equal(ContactVerification.Unverified, (await alice.GetContactAsync("bob", Cancel)).Verification);
    }

    [Fact(Timeout = Patience)]
    public async Task A_message_server_that_cannot_open_the_ticket_is_not_trusted()
    {
        _realm.Message.Twist(MessageCode.PresentTicket, static _ => new TicketAccepted(new byte[120]));

        await Refusal.OfAsync(MessagingFailure.UntrustedServer, () => _realm.JoinAsync(_folder, "alice", Cancel));

        Assert.Equal([MessageCode.PresentTicket], _realm.Message.Requests.Select(static request => request.Code));
    }

    [Fact(Timeout = Patience)]
    public async Task An_auth_server_that_cannot_open_its_own_ticket_is_not_trusted()
    {
        _realm.Auth.Twist(MessageCode.PresentTicket, static _ => new TicketAccepted(new byte[120]));

        await Refusal.OfAsync(MessagingFailure.UntrustedServer, () => _realm.JoinAsync(_folder, "alice", Cancel));

        Assert.Empty(_realm.Message.Requests);
    }

    [Fact(Timeout = Patience)]
    public async Task A_service_ticket_whose_part_does_not_open_is_not_presented()
    {
        _realm.Auth.Twist(
            MessageCode.RequestServiceTicket, static reply => (ServiceTicketReply)reply! with { SealedPart = new byte[200] });

        // The login stands; only its message server cannot be reached.
        await using var alice = await _realm.JoinAsync(_folder, "alice", Cancel, Short);
        await Refusal.OfAnyKindAsync(() => alice.ReceiveAllAsync(Cancel));

        Assert.Empty(_realm.Message.Requests);
    }

    [Fact(Timeout = Patience)]
    public async Task Any_wrong_answer_of_either_server_is_an_exception_of_the_clients_own()
    {
        using var storeKey = await JoinAliceAsync();
        await using var bob = await _realm.JoinAsync(_folder, "bob", Cancel);

        // In the order in which they are asked: what is asked before a twisted one is answered honestly.
        foreach (var (server, code) in new[]
        {
            (_realm.Auth, MessageCode.PresentTicket),
            (_realm.Auth, MessageCode.LookUpClient),
            (_realm.Auth, MessageCode.ListServers),
            (_realm.Auth, MessageCode.RequestServiceTicket),
            (_realm.Message, MessageCode.PresentTicket),
            (_realm.Message, MessageCode.FetchPrekeys),
            (_realm.Message, MessageCode.SendMessage),
        })
        {
            foreach (var twist in WrongAnswers())
            {
                await using var alice = OpenAnew(storeKey);
                using (server.Twist(code, twist))
                {
                    var before = server.Requests.Count;
                    await Refusal.OfAnyKindAsync(() => alice.SendTextAsync("bob", "hello", Cancel));
                    Assert.Contains(code, server.Requests.Skip(before).Select(static request => request.Code));
                }
            }
        }
    }

    [Fact(Timeout = Patience)]
    public async Task Any_wrong_answer_to_the_one_who_receives_is_an_exception_of_the_clients_own()
    {
        using var storeKey = await JoinAliceAsync();
        foreach (var twist in WrongAnswers())
        {
            await using var alice = OpenAnew(storeKey);
            using (_realm.Message.Twist(MessageCode.GrantCredit, twist))
            {
                await Refusal.OfAnyKindAsync(() => alice.ReceiveAllAsync(Cancel));
            }
        }
    }

    [Fact(Timeout = Patience)]
    public async Task A_server_that_pushes_nonsense_is_left_and_tried_again()
    {
        using var storeKey = await JoinAliceAsync();
        await using var bob = await _realm.JoinAsync(_folder, "bob", Cancel);
        await bob.SendTextAsync("alice", "real", Cancel);
        IWireMessage[] nonsense =
        [
            new RawMessage(MessageCode.Deliver, [1, 2, 3]),
            new RawMessage(MessageCode.Notice, [1]),
            new RawMessage(MessageCode.Error, [1]),
            new ErrorReply(ProtocolError.Internal, 0),
        ];
        foreach (var push in nonsense)
        {
            var pushes = new Queue<IWireMessage>([push]);
            using (_realm.Message.TwistPushes(MessageCode.GrantCredit, () => pushes.TryDequeue(out var next) ? next : null))
            {
                await using var alice = OpenAnew(storeKey, TimeSpan.FromSeconds(10));
                await foreach (var message in alice.ReceiveAsync(follow: true, Cancel))
                {
                    Assert.Equal("real", message.Content?.Text);
                    break;
                }
            }
        }
    }

    [Fact(Timeout = Patience)]
    public async Task Notices_and_pushes_of_kinds_to_come_are_passed_over()
    {
        using var storeKey = await JoinAliceAsync();
        await using var bob = await _realm.JoinAsync(_folder, "bob", Cancel);
        await bob.SendTextAsync("alice", "real", Cancel);
        foreach (var push in new IWireMessage[] { new Notice((NoticeKind)999, 0), new RawMessage((MessageCode)1999, [1, 2, 3]) })
        {
            using (_realm.Message.TwistPushes(MessageCode.GrantCredit, () => push))
            {
                await using var alice = OpenAnew(storeKey, TimeSpan.FromSeconds(10));
                await foreach (var message in alice.ReceiveAsync(follow: false, Cancel))
                {
                    Assert.Equal("real", message.Content?.Text);
                    break;
                }
            }
        }
    }

    // Of the wrong kind, too long, cut short, an error without meaning, an error that is none, and nothing at all.
    private static Func<IWireMessage?, IWireMessage?>[] WrongAnswers() =>
    [
        static _ => new Notice(NoticeKind.TakenOver, 0),
        static reply => new RawMessage(reply!.FrameCode, [.. WireWriter.ToArray(reply), 0]),
        static reply => new RawMessage(reply!.FrameCode, WireWriter.ToArray(reply)[..^1]),
        static _ => new ErrorReply((ProtocolError)60_000, uint.MaxValue),
        static _ => new RawMessage(MessageCode.Error, [1]),
        static _ => null,
    ];

    private async Task<SecretBytes> JoinAliceAsync()
    {
        await using var alice = await _realm.JoinAsync(_folder, "alice", Cancel);
        return alice.CopyStoreKey();
    }

    // With no service ticket in its cache and no home server known, so that it asks for all there is to ask for.
    private MessagingClient OpenAnew(SecretBytes storeKey, TimeSpan? timeout = null)
    {
        var options = ScriptedRealm.Options(_folder, "alice") with { OperationTimeout = timeout ?? TimeSpan.FromMilliseconds(300) };
        using (var store = LocalStore.Open(options.StorePath, storeKey))
        {
            new TicketCache(store).RemoveService(_realm.Message.Id);
            store.Write(static transaction => transaction.RemoveSettings("home server"));
        }

        return MessagingClient.Open(_realm.Pin, storeKey, options);
    }
}
