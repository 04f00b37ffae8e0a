using KerberosMessaging.Client.Conversations;
using KerberosMessaging.Client.Store;
using KerberosMessaging.Cryptography;
using KerberosMessaging.EndToEnd;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;

namespace KerberosMessaging.Client.Tests.Schedules;

/// <summary>Which devices are taken for a person's, and what those get.</summary>
public sealed class LinkingTests : IDisposable
{
    private readonly Neighbourhood _all = new(2);

    private SimulatedDevice Alice => _all.Alice;

    private SimulatedDevice Bob => _all.Bob;

    public void Dispose() => _all.Dispose();

    [Fact]
    public void All_linked_devices_of_both_people_have_the_same_conversation()
    {
        var tablet = _all.EnrolLinked(Alice);
        var bobsLaptop = _all.EnrolLinked(Bob);
        Alice.Send("bob", "from the phone");
        tablet.Send("bob", "from the tablet");
        Assert.True(_all.Settle());
        bobsLaptop.Send("alice", "from the laptop");
        Assert.True(_all.Settle());

        foreach (var device in _all.Devices)
        {
            Assert.Equal(
                ["from the laptop", "from the phone", "from the tablet"],
                device.History().Select(static entry => entry.Message.Content?.Text).Order());
            Assert.All(device.History(), entry => Assert.Equal(MessageProblem.None, entry.Problem));
            Assert.All(device.History(), entry => Assert.Equal(
                entry.Message.IsOutgoing, (entry.Message.Content?.Text == "from the laptop") == (device.Client == Bob.Client)));
        }
    }

    [Fact]
    public void A_copy_has_the_id_of_the_message()
    {
        var tablet = _all.EnrolLinked(Alice);
        var sent = Alice.Send("bob", "hello");

        tablet.TakeAll();

        var copy = Assert.Single(tablet.History()).Message;
        Assert.Equal((sent.Id, Bob.Client, true), (copy.Message, copy.Peer, copy.IsOutgoing));
    }

    [Fact]
    public void A_device_that_was_not_given_the_code_cannot_link()
    {
        var tablet = _all.Enrol(Alice.Client);
        tablet.Connect();
        tablet.Linking.StartLinking();

        // It knows of the device, but has not seen what the tablet shows.
        Assert.Equal(tablet.Id, Approve(Alice, CodeOf(tablet)));
        Assert.Equal(1, tablet.TakeAll());

        Assert.False(tablet.Linking.IsLinked);
        Assert.NotNull(tablet.Store.Read(Linking.LoadCode));
    }

    [Fact]
    public void An_account_key_that_nobody_waits_for_is_not_taken()
    {
        var tablet = _all.Enrol(Alice.Client);
        tablet.Connect();
        Approve(Alice, CodeOf(tablet));
        Assert.Equal(1, tablet.TakeAll());

        Assert.False(tablet.Linking.IsLinked);
    }

    [Fact]
    public void A_code_of_another_persons_device_or_one_mistyped_links_nothing()
    {
        var bobsLaptop = _all.Enrol(Bob.Client);
        bobsLaptop.Connect();
        var code = bobsLaptop.Linking.StartLinking();

        Assert.Equal(MessagingFailure.LinkRefused, Assert.Throws<MessagingException>(() => Approve(Alice, code)).Failure);
        Assert.Equal(MessagingFailure.LinkRefused, Assert.Throws<MessagingException>(() => Approve(Bob, code[..^1])).Failure);
        Assert.Empty(_all.Realm.LinkOf(Bob.Client, bobsLaptop.Id));
    }

    [Fact]
    public void A_device_that_is_not_linked_links_no_other()
    {
        var tablet = _all.Enrol(Alice.Client);
        tablet.Connect();
        var laptop = _all.Enrol(Alice.Client);
        laptop.Connect();
        var code = laptop.Linking.StartLinking();

        Assert.Equal(MessagingFailure.LinkRefused, Assert.Throws<MessagingException>(() => Approve(tablet, code)).Failure);
        Assert.Empty(_all.Realm.LinkOf(Alice.Client, laptop.Id));
    }

    [Fact]
    public void A_device_that_a_server_slipped_in_gets_nothing_and_nothing_of_it_is_shown()
    {
        Alice.Send("bob", "before");
        Bob.TakeAll();
        var spy = SlipIn();

        Alice.Send("bob", "hello bob");
        Bob.Send("alice", "hello alice");
        spy.Send("bob", "I am alice, too");

        // Whoever slips a device in takes the others for what they are.
        spy.Contacts.AcceptDevice(Alice.Client, Alice.Id);
        spy.Send("alice", "I am bob");
        Bob.TakeAll();
        Assert.True(_all.Settle());

        Assert.DoesNotContain(_all.Server.Log, envelope => envelope.Device == spy.Id);
        Assert.Equal(["before", "hello bob"], Bob.Texts());
        Assert.Equal(MessageProblem.UnlinkedDevice, Bob.History()[^1].Problem);
        Assert.Equal(["hello alice"], Alice.Texts());
        Assert.Equal(ContactVerification.Unverified, Assert.Single(Bob.Contacts.List()).Verification);
    }

    [Fact]
    public void A_device_that_is_removed_is_written_to_no_more_and_holds_nothing_up()
    {
        var tablet = _all.EnrolLinked(Bob);
        Alice.Send("bob", "one");
        _all.Remove(tablet);
        Assert.Equal(1, Alice.Send("bob", "two").Devices);
        Assert.True(_all.Settle());

        Assert.Equal(["one", "two"], Bob.Texts());
        Assert.Empty(Bob.Store.Read(static transaction => transaction.ListOutbox()));
    }

    // A device of alice's that has a link, but not by her account key.
    private SimulatedDevice SlipIn()
    {
        var spy = _all.Enrol(Alice.Client);
        spy.Connect();
        using var key = Ed25519PrivateKey.Generate();
        var link = DeviceLink.Sign(key, spy.Client, spy.Id, IdentityOf(spy).ToBytes());
        Assert.IsType<Done>(_all.Realm.Answer(spy.Client, spy.Id, new LinkDeviceRequest(spy.Id, link)));
        return spy;
    }

    private static string CodeOf(SimulatedDevice device)
    {
        using var code = LinkCode.Create(
            device.Client.Value.ToByteArray(bigEndian: true), device.Id.Value.ToByteArray(bigEndian: true), IdentityOf(device));
        return code.Reveal();
    }

    private static PublicDeviceIdentity IdentityOf(SimulatedDevice device) => device.Store.Read(static transaction =>
    {
        using var identity = DeviceKeys.Identity(transaction);
        return identity.Public;
    });

    private static Protocol.DeviceId Approve(SimulatedDevice by, string code) =>
        by.Linking.ApproveAsync(code, CancellationToken.None).GetAwaiter().GetResult();
}
