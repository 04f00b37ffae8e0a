using KerberosMessaging.Client;
using KerberosMessaging.EndToEndTests.Support;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.EndToEndTests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>A client's own devices: which there are, what they are called, and their end.</summary>
public sealed class DeviceTests(RealmFixture fixture) : IClassFixture<RealmFixture>
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 60_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = Patience)]
    public async Task Devices_are_listed_with_the_one_that_asks_and_can_be_renamed_from_any()
    {
        var before = DateTimeOffset.UtcNow.AddSeconds(-1);
        await using var laptop = await JoinAsync("alice");
        await using var phone = await Person.LoginAsync(fixture.Realm, laptop.Name, "phone", Cancel);

        var fromLaptop = await laptop.Client.ListDevicesAsync(Cancel);

        Assert.Equal(["laptop", "phone"], fromLaptop.Select(static device => device.Name));
        Assert.Equal([laptop.Client.Device, phone.Client.Device], fromLaptop.Select(static device => device.Device));
        Assert.Equal([true, false], fromLaptop.Select(static device => device.IsThisDevice));
        Assert.All(fromLaptop, device => Assert.InRange(device.AddedAt, before, device.LastSeenAt));

        await laptop.Client.RenameDeviceAsync(phone.Client.Device, "Büro", Cancel);

        var fromPhone = await phone.Client.ListDevicesAsync(Cancel);
        Assert.Equal(["laptop", "Büro"], fromPhone.Select(static device => device.Name));
        Assert.Equal([false, true], fromPhone.Select(static device => device.IsThisDevice));
    }

    [Fact(Timeout = Patience)]
    public async Task A_removed_device_is_logged_out_gets_no_more_messages_and_does_not_come_back()
    {
        await using var laptop = await JoinAsync("alice");
        await using var phone = await Person.LinkAsync(fixture.Realm, laptop, "phone", Cancel);
        await using var bob = await JoinAsync("bob");
        Assert.Equal(2, (await bob.Client.SendTextAsync(laptop.Name, "to both", Cancel)).Devices);

        await laptop.Client.RemoveDeviceAsync(phone.Client.Device, Cancel);

        Assert.Equal(laptop.Client.Device, Assert.Single(await laptop.Client.ListDevicesAsync(Cancel)).Device);
        await RefusedAsync(MessagingFailure.NotLoggedIn, () => phone.Client.ListDevicesAsync(Cancel));
        Assert.Equal(1, (await bob.Client.SendTextAsync(laptop.Name, "to the laptop", Cancel)).Devices);
        Assert.Equal(["to both", "to the laptop"], await laptop.ReadAllAsync(Cancel));
        await phone.Client.DisposeAsync();
        await RefusedAsync(
            MessagingFailure.DeviceRefused, () => Person.LoginAsync(fixture.Realm, laptop.Name, "phone", Cancel));

        // Elsewhere the client makes another device, as ever.
        await using var tablet = await Person.LoginAsync(fixture.Realm, laptop.Name, "tablet", Cancel);
        Assert.Equal(2, (await tablet.Client.ListDevicesAsync(Cancel)).Count);
    }

    [Fact(Timeout = Patience)]
    public async Task Who_removes_the_very_device_that_asks_logs_it_out()
    {
        await using var laptop = await JoinAsync("alice");
        await using var phone = await Person.LoginAsync(fixture.Realm, laptop.Name, "phone", Cancel);

        await laptop.Client.RemoveDeviceAsync(laptop.Client.Device, Cancel);

        Assert.Empty(laptop.Client.ListTickets());
        await RefusedAsync(MessagingFailure.NotLoggedIn, () => laptop.Client.ListDevicesAsync(Cancel));
        Assert.Equal(phone.Client.Device, Assert.Single(await phone.Client.ListDevicesAsync(Cancel)).Device);
    }

    [Fact(Timeout = Patience)]
    public async Task A_device_that_is_not_the_clients_own_is_unknown()
    {
        await using var alice = await JoinAsync("alice");
        await using var bob = await JoinAsync("bob");

        foreach (var device in new[] { DeviceId.New(), bob.Client.Device })
        {
            await RefusedAsync(MessagingFailure.UnknownDevice, () => alice.Client.RenameDeviceAsync(device, "mine", Cancel));
            await RefusedAsync(MessagingFailure.UnknownDevice, () => alice.Client.RemoveDeviceAsync(device, Cancel));
        }

        foreach (var name in new[] { "", new string('x', 65) })
        {
            await RefusedAsync(MessagingFailure.NameInvalid, () => alice.Client.RenameDeviceAsync(alice.Client.Device, name, Cancel));
        }

        Assert.Equal("laptop", Assert.Single(await bob.Client.ListDevicesAsync(Cancel)).Name);
    }

    private static async Task RefusedAsync(MessagingFailure failure, Func<Task> action) =>
        Assert.Equal(failure, (await Assert.ThrowsAsync<MessagingException>(action)).Failure);

    private Task<Person> JoinAsync(string name) => Person.JoinAsync(fixture.Realm, fixture.NewName(name), Cancel);
}
