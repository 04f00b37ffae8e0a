using KerberosMessaging.Client;
using KerberosMessaging.Cryptography;
using KerberosMessaging.EndToEndTests.Support;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;
using KerberosMessaging.Transport;

namespace KerberosMessaging.EndToEndTests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>Passwords change and are lost; stores must go on to open, for who may open them.</summary>
public sealed class PasswordTests(RealmFixture fixture) : IClassFixture<RealmFixture>
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 240_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = Patience)]
    public async Task After_a_change_the_new_password_alone_logs_in_and_opens_the_store()
    {
        await using var alice = await JoinAsync("alice");
        await using var bob = await JoinAsync("bob");
        alice.Client.MarkVerified(await alice.Client.GetContactAsync(bob.Name, Cancel));
        using var old = Person.PasswordOf(alice.Name);
        using var replacement = Person.PasswordOf("alice anew");

        await alice.Client.ChangePasswordAsync(old, replacement, cancellationToken: Cancel);

        // This login goes on, and what opens the store without a password does too.
        await alice.Client.SendTextAsync(bob.Name, "after the change", Cancel);
        await alice.ReopenAsync();
        await alice.Client.DisposeAsync();
        await RefusedAsync(MessagingFailure.LoginFailed, () => LoginAsync(alice, "laptop", old));
        await using var again = await LoginAsync(alice, "laptop", replacement);
        Assert.Equal(alice.Client.Device, again.Device);
        Assert.Equal(ContactVerification.Verified, (await again.GetContactAsync(bob.Name, Cancel)).Verification);
        Assert.Equal(["after the change"], await bob.ReadAllAsync(Cancel));
    }

    [Fact(Timeout = Patience)]
    public async Task Another_device_opens_its_store_with_the_new_password_however_many_changes_it_missed()
    {
        await using var laptop = await JoinAsync("alice");
        await using var phone = await Person.LinkAsync(fixture.Realm, laptop, "phone", Cancel);
        await using var bob = await JoinAsync("bob");
        await bob.Client.SendTextAsync(laptop.Name, "hello", Cancel);
        Assert.Equal(["hello"], await phone.ReadAllAsync(Cancel));
        phone.Client.MarkVerified(await phone.Client.GetContactAsync(bob.Name, Cancel));
        using var first = Person.PasswordOf(laptop.Name);
        using var second = Person.PasswordOf("the second");
        using var third = Person.PasswordOf("the third");

        await laptop.Client.ChangePasswordAsync(first, second, cancellationToken: Cancel);
        await laptop.Client.ChangePasswordAsync(second, third, cancellationToken: Cancel);

        // Its login ended with the first change.
        await RefusedAsync(MessagingFailure.NotLoggedIn, () => phone.Client.GetContactAsync(bob.Name, Cancel));
        await phone.Client.DisposeAsync();
        await using (var again = await LoginAsync(phone, "phone", third))
        {
            Assert.Equal(phone.Client.Device, again.Device);
            Assert.Equal(ContactVerification.Verified, (await again.GetContactAsync(bob.Name, Cancel)).Verification);
        }

        // It is sealed under the present password now; a later change starts from there.
        using var fourth = Person.PasswordOf("the fourth");
        await using (var again = await LoginAsync(phone, "phone", third))
        {
            await again.ChangePasswordAsync(third, fourth, cancellationToken: Cancel);
        }

        await laptop.Client.DisposeAsync();
        await using var last = await LoginAsync(laptop, "laptop", fourth);
        Assert.Equal(laptop.Client.Device, last.Device);
    }

    [Fact(Timeout = Patience)]
    public async Task Sessions_of_other_devices_end_unless_they_are_to_be_kept()
    {
        await using var laptop = await JoinAsync("alice");
        await using var phone = await Person.LoginAsync(fixture.Realm, laptop.Name, "phone", Cancel);
        using var first = Person.PasswordOf(laptop.Name);
        using var second = Person.PasswordOf("the second");

        await laptop.Client.ChangePasswordAsync(first, second, endOtherSessions: false, Cancel);
        Assert.Equal(2, (await phone.Client.ListDevicesAsync(Cancel)).Count);

        await laptop.Client.ChangePasswordAsync(second, first, endOtherSessions: true, Cancel);
        await RefusedAsync(MessagingFailure.NotLoggedIn, () => phone.Client.ListDevicesAsync(Cancel));
        Assert.Equal(2, (await laptop.Client.ListDevicesAsync(Cancel)).Count);
    }

    [Fact(Timeout = Patience)]
    public async Task A_device_whose_login_outlived_the_change_changes_the_password_too()
    {
        await using var laptop = await JoinAsync("alice");
        await using var phone = await Person.LoginAsync(fixture.Realm, laptop.Name, "phone", Cancel);
        using var first = Person.PasswordOf(laptop.Name);
        using var second = Person.PasswordOf("the second");
        using var third = Person.PasswordOf("the third");
        await laptop.Client.ChangePasswordAsync(first, second, endOtherSessions: false, Cancel);

        // Its store is still sealed under the key of the first.
        await phone.Client.ChangePasswordAsync(second, third, endOtherSessions: false, Cancel);

        await phone.Client.DisposeAsync();
        await laptop.Client.DisposeAsync();
        foreach (var device in new[] { phone, laptop })
        {
            await using var again = await LoginAsync(device, device == phone ? "phone" : "laptop", third);
            Assert.Equal(device.Client.Device, again.Device);
        }
    }

    [Fact(Timeout = Patience)]
    public async Task A_store_with_a_key_file_is_not_touched_by_a_change()
    {
        var name = fixture.NewName("service");
        await Person.RegisterAsync(fixture.Realm, name, Cancel);
        using var key = SecretBytes.Random(64);
        using var old = Person.PasswordOf(name);
        using var replacement = Person.PasswordOf("anew");
        var options = Person.Options(fixture.Realm.Folder, name, "server");
        DeviceId device;
        await using (var service = await MessagingClient.LoginAsync(fixture.Realm.Pin, name, old, options, key, Cancel))
        {
            device = service.Device;
            await service.ChangePasswordAsync(old, replacement, cancellationToken: Cancel);
        }

        await using (var opened = MessagingClient.OpenWithKeyFile(fixture.Realm.Pin, key, options))
        {
            Assert.Equal(device, opened.Device);
        }

        await RefusedAsync(
            MessagingFailure.StoreUnusable,
            () => MessagingClient.LoginAsync(fixture.Realm.Pin, name, replacement, options, cancellationToken: Cancel));
        await using var again = await MessagingClient.LoginAsync(fixture.Realm.Pin, name, replacement, options, key, Cancel);
        Assert.Equal(device, again.Device);
    }

    [Fact(Timeout = Patience)]
    public async Task A_change_that_is_refused_changes_nothing()
    {
        await using var alice = await JoinAsync("alice");
        using var old = Person.PasswordOf(alice.Name);
        using var wrong = Person.PasswordOf("someone else");
        using var tooShort = Password.FromCharacters("seven c");
        using var replacement = Person.PasswordOf("anew");

        var e = await RefusedAsync(
            MessagingFailure.PasswordTooShort, () => alice.Client.ChangePasswordAsync(old, tooShort, cancellationToken: Cancel));
        Assert.Contains("at least 8 characters", e.Message, StringComparison.Ordinal);
        e = await RefusedAsync(
            MessagingFailure.LoginFailed, () => alice.Client.ChangePasswordAsync(wrong, replacement, cancellationToken: Cancel));
        Assert.Equal("the current password is wrong", e.Message);

        await alice.Client.DisposeAsync();
        await using var again = await LoginAsync(alice, "laptop", old);
    }

    [Fact(Timeout = Patience)]
    public async Task A_realm_that_wants_stronger_records_gets_them_at_the_next_login()
    {
        var setup = new RealmSetup { Auth = ["--Auth:Stretching=Argon2id"] };
        await using var realm = await Realm.StartAsync(Cancel, setup);
        await using var laptop = await Person.JoinAsync(realm, "alice", Cancel);
        await using var phone = await Person.LoginAsync(realm, "alice", "phone", Cancel);
        using var password = Person.PasswordOf("alice");
        Assert.Equal((byte)StretchingAlgorithm.Argon2id, (await StretchingOfAsync(realm, "alice")).Algorithm);
        await laptop.Client.DisposeAsync();
        await phone.Client.DisposeAsync();
        await realm.StopAuthAsync(Cancel);
        setup.Auth[0] = "--Auth:Stretching=Pbkdf2Sha256";
        await realm.StartAuthAsync(Cancel);

        await using var again = await Person.LoginAsync(realm, "alice", "laptop", Cancel);

        Assert.Equal((byte)StretchingAlgorithm.Pbkdf2Sha256, (await StretchingOfAsync(realm, "alice")).Algorithm);
        Assert.Equal(laptop.Client.Device, again.Client.Device);

        // The other device's store is sealed under the old record's key, and its login was not ended.
        await using (var opened = phone.OpenAnother())
        {
            Assert.Equal(2, (await opened.ListDevicesAsync(Cancel)).Count);
        }

        await using var phoneAgain = await Person.LoginAsync(realm, "alice", "phone", Cancel);
        Assert.Equal(phone.Client.Device, phoneAgain.Client.Device);
    }

    [Fact(Timeout = Patience)]
    public async Task Previous_keys_are_for_who_has_proven_the_password_alone()
    {
        await using var alice = await JoinAsync("alice");
        using var old = Person.PasswordOf(alice.Name);
        using var replacement = Person.PasswordOf("anew");
        await alice.Client.ChangePasswordAsync(old, replacement, cancellationToken: Cancel);
        await using var connection = await ConnectAsync(fixture.Realm);

        var early = await Assert.ThrowsAsync<RequestRefusedException>(() => FetchAsync(connection, new byte[64]));
        Assert.Equal(ProtocolError.Unexpected, early.Error);

        // A wrong proof spends the login: the right one comes too late.
        using (var proven = await StartAsync(connection, alice.Name, replacement))
        {
            var wrong = await Assert.ThrowsAsync<RequestRefusedException>(() => FetchAsync(connection, new byte[64]));
            Assert.Equal(ProtocolError.LoginFailed, wrong.Error);
            var late = await Assert.ThrowsAsync<RequestRefusedException>(() => FetchAsync(connection, proven.Ke3));
            Assert.Equal(ProtocolError.Unexpected, late.Error);
        }

        // The right one is good twice, and for nothing but the login that it is of.
        using (var proven = await StartAsync(connection, alice.Name, replacement))
        {
            using var previous = PreviousKeys.TryOpen((await FetchAsync(connection, proven.Ke3)).PreviousKeys, proven.ExportKey);
            Assert.NotNull(previous);
            Assert.Single(previous.Keys);
            Assert.NotEmpty((await FetchAsync(connection, proven.Ke3)).PreviousKeys);
            var other = await Assert.ThrowsAsync<RequestRefusedException>(() => connection.RequestAsync<TicketGranted>(
                new FinishLoginRequest(new byte[64], DeviceId.New(), "laptop", new byte[64], new byte[64]), Cancel));
            Assert.Equal(ProtocolError.LoginFailed, other.Error);
        }

        // An unknown name gets a challenge like any other, and nothing after it.
        using var guess = OpaqueClientLogin.Start(replacement.Span);
        await connection.RequestAsync<LoginChallenge>(new StartLoginRequest(fixture.NewName("nobody"), guess.Ke1.ToArray()), Cancel);
        var unknown = await Assert.ThrowsAsync<RequestRefusedException>(() => FetchAsync(connection, new byte[64]));
        Assert.Equal(ProtocolError.LoginFailed, unknown.Error);
    }

    [Fact(Timeout = Patience)]
    public async Task A_reset_makes_a_new_device_which_contacts_see_as_changed_and_must_accept()
    {
        using var admin = new RealmAdmin();
        await using var realm = await Realm.StartAsync(Cancel, new RealmSetup { Auth = [admin.Argument] });
        await using var alice = await Person.JoinAsync(realm, "alice", Cancel);
        await using var bob = await Person.JoinAsync(realm, "bob", Cancel);
        bob.Client.MarkVerified(await bob.Client.GetContactAsync("alice", Cancel));
        await bob.Client.SendTextAsync("alice", "before the reset", Cancel);
        using var lost = Person.PasswordOf("alice");
        using var replacement = Person.PasswordOf("alice anew");
        var options = Person.Options(realm.Folder, "alice", "laptop");
        var token = await admin.ResetAsync(realm, alice.Client.Id, Cancel);

        // Not while a program still writes to the store, and without spending the token.
        await RefusedAsync(
            MessagingFailure.StoreUnusable,
            () => MessagingClient.ResetPasswordAsync(realm.Pin, "alice", token, replacement, options, Cancel));
        await alice.Client.DisposeAsync();
        var aside = await MessagingClient.ResetPasswordAsync(realm.Pin, "alice", token, replacement, options, Cancel);

        Assert.Matches(@"\.before-reset-\d{8}T\d{6}$", aside);
        Assert.True(File.Exists(aside));
        Assert.False(File.Exists(options.StorePath));
        await RefusedAsync(
            MessagingFailure.LoginFailed,
            () => MessagingClient.LoginAsync(realm.Pin, "alice", lost, options, cancellationToken: Cancel));
        await RefusedAsync(
            MessagingFailure.InviteRefused,
            () => MessagingClient.ResetPasswordAsync(realm.Pin, "alice", token, lost, options, Cancel));
        await using var again = await MessagingClient.LoginAsync(
            realm.Pin, "alice", replacement, options, cancellationToken: Cancel);
        Assert.Equal(alice.Client.Id, again.Id);
        Assert.NotEqual(alice.Client.Device, again.Device);

        var changed = await bob.Client.GetContactAsync("alice", Cancel);
        Assert.Equal(ContactVerification.Changed, changed.Verification);
        await RefusedAsync(MessagingFailure.IdentityChanged, () => bob.Client.SendTextAsync("alice", "to whom?", Cancel));
        bob.Client.MarkVerified(changed);
        await bob.Client.SendTextAsync("alice", "after the reset", Cancel);
        await using var atAlice = Inbox.Open(again);
        Assert.Equal("after the reset", await atAlice.NextTextAsync(Cancel));
    }

    [Fact(Timeout = Patience)]
    public async Task A_disabled_client_is_told_so_once_its_password_is_proven()
    {
        using var admin = new RealmAdmin();
        await using var realm = await Realm.StartAsync(Cancel, new RealmSetup { Auth = [admin.Argument] });
        await using var alice = await Person.JoinAsync(realm, "alice", Cancel);
        await alice.Client.DisposeAsync();
        await admin.DisableAsync(realm, alice.Client.Id, Cancel);
        using var password = Person.PasswordOf("alice");
        using var wrong = Person.PasswordOf("someone else");
        var options = Person.Options(realm.Folder, "alice", "laptop");

        await RefusedAsync(
            MessagingFailure.ClientDisabled,
            () => MessagingClient.LoginAsync(realm.Pin, "alice", password, options, cancellationToken: Cancel));
        await RefusedAsync(
            MessagingFailure.LoginFailed,
            () => MessagingClient.LoginAsync(realm.Pin, "alice", wrong, options, cancellationToken: Cancel));
    }

    private static Task<PreviousKeysReply> FetchAsync(RequestConnection connection, byte[] ke3) =>
        connection.RequestAsync<PreviousKeysReply>(new FetchPreviousKeysRequest(ke3), Cancel);

    private static async Task<OpaqueLoginResult> StartAsync(RequestConnection connection, string name, SecretBytes password)
    {
        using var login = OpaqueClientLogin.Start(password.Span);
        var challenge = await connection.RequestAsync<LoginChallenge>(new StartLoginRequest(name, login.Ke1.ToArray()), Cancel);
        var stretching = new StretchingParameters(
            (StretchingAlgorithm)challenge.Stretching.Algorithm, challenge.Stretching.Iterations, challenge.Stretching.MemoryKiB);
        Assert.True(login.TryFinish(
            challenge.Ke2, stretching, [], [], LoginProof.OpaqueContext(connection.Channel.ChannelBinding.Span), out var result));
        return result;
    }

    private static async Task<Stretching> StretchingOfAsync(Realm realm, string name)
    {
        await using var connection = await ConnectAsync(realm);
        using var password = Person.PasswordOf(name);
        using var login = OpaqueClientLogin.Start(password.Span);
        return (await connection.RequestAsync<LoginChallenge>(new StartLoginRequest(name, login.Ke1.ToArray()), Cancel)).Stretching;
    }

    private static Task<RequestConnection> ConnectAsync(Realm realm) => RequestConnection.ConnectAsync(
        realm.Pin.Host,
        realm.Pin.Port,
        key => RealmPin.FingerprintOf(key) == realm.Pin.Fingerprint,
        new ChannelOptions(),
        null,
        Cancel);

    private static async Task<MessagingException> RefusedAsync(MessagingFailure failure, Func<Task> action)
    {
        var e = await Assert.ThrowsAsync<MessagingException>(action);
        Assert.Equal(failure, e.Failure);
        return e;
    }

    private Task<Person> JoinAsync(string name) => Person.JoinAsync(fixture.Realm, fixture.NewName(name), Cancel);

    private Task<MessagingClient> LoginAsync(Person person, string device, SecretBytes password) => MessagingClient.LoginAsync(
        fixture.Realm.Pin,
        person.Name,
        password,
        Person.Options(fixture.Realm.Folder, person.Name, device),
        cancellationToken: Cancel);
}
