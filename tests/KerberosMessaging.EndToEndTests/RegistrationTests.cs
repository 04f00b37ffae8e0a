using KerberosMessaging.Client;
using KerberosMessaging.Cryptography;
using KerberosMessaging.EndToEndTests.Support;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.EndToEndTests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>Who may register, and with which password.</summary>
public sealed class RegistrationTests
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 60_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = Patience)]
    public async Task A_realm_by_invitation_takes_each_invite_once_and_for_its_name_alone()
    {
        using var admin = new RealmAdmin();
        await using var realm = await Realm.StartAsync(
            Cancel, new RealmSetup { Auth = [admin.Argument, "--Auth:Registration=Invite"] });
        var forAnyone = await admin.InviteAsync(realm, null, Cancel);
        var forCarol = await admin.InviteAsync(realm, "carol", Cancel);

        await RefusedAsync(MessagingFailure.InviteRefused, () => RegisterAsync(realm, "alice", ""));
        await RefusedAsync(MessagingFailure.InviteRefused, () => RegisterAsync(realm, "alice", "kmsg_made_up"));
        await RefusedAsync(MessagingFailure.InviteRefused, () => RegisterAsync(realm, "alice", forCarol));
        await RegisterAsync(realm, "alice", forAnyone);
        await RefusedAsync(MessagingFailure.InviteRefused, () => RegisterAsync(realm, "bob", forAnyone));
        await RegisterAsync(realm, "Carol", forCarol);

        await using var alice = await Person.LoginAsync(realm, "alice", "laptop", Cancel);
    }

    [Fact(Timeout = Patience)]
    public async Task A_closed_realm_takes_nobody()
    {
        await using var realm = await Realm.StartAsync(Cancel, new RealmSetup { Auth = ["--Auth:Registration=Closed"] });

        await RefusedAsync(MessagingFailure.RegistrationClosed, () => RegisterAsync(realm, "alice", ""));
    }

    [Fact(Timeout = Patience)]
    public async Task A_password_that_the_realm_calls_too_short_leaves_the_name_free()
    {
        await using var realm = await Realm.StartAsync(Cancel, new RealmSetup { Auth = ["--Auth:MinimumPasswordLength=12"] });
        using var tooShort = Password.FromCharacters("eleven char");
        using var longEnough = Password.FromCharacters("twelve chars");
        var options = Person.Options(realm.Folder, "alice", "laptop");

        var e = await RefusedAsync(
            MessagingFailure.PasswordTooShort,
            () => MessagingClient.RegisterAsync(realm.Pin, "alice", tooShort, options, cancellationToken: Cancel));
        Assert.Contains("at least 12 characters", e.Message, StringComparison.Ordinal);

        await MessagingClient.RegisterAsync(realm.Pin, "alice", longEnough, options, cancellationToken: Cancel);
    }

    [Fact(Timeout = Patience)]
    public async Task Who_fails_too_often_is_told_how_long_to_wait_and_then_gets_in()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2030, 1, 1, 8, 0, 0, TimeSpan.Zero));
        await using var realm = await Realm.StartAsync(
            Cancel, RealmSetup.At(clock, "--Lockout:FreeFailures=2", "--Lockout:FirstDelay=00:00:30"));
        await Person.RegisterAsync(realm, "alice", Cancel);
        using var password = Person.PasswordOf("alice");
        using var wrong = Person.PasswordOf("someone else");
        for (var i = 0; i < 2; i++)
        {
            await RefusedAsync(MessagingFailure.LoginFailed, () => LoginAsync(realm, wrong));
        }

        // A failure is counted once the server has seen the connection end.
        MessagingException? tooMany = null;
        await Eventually.TrueAsync(
            async () =>
            {
                tooMany = await Assert.ThrowsAsync<MessagingException>(() => LoginAsync(realm, wrong));
                return tooMany.Failure == MessagingFailure.TooManyRequests && tooMany.RetryAfter > TimeSpan.FromSeconds(1);
            },
            Cancel);

        await RefusedAsync(MessagingFailure.TooManyRequests, () => LoginAsync(realm, password));
        clock.Advance(tooMany!.RetryAfter);
        await LoginAsync(realm, password);
    }

    private static async Task RegisterAsync(Realm realm, string name, string token)
    {
        using var password = Person.PasswordOf(name);
        await MessagingClient.RegisterAsync(
            realm.Pin, name, password, Person.Options(realm.Folder, name, "laptop"), token, Cancel);
    }

    private static async Task LoginAsync(Realm realm, SecretBytes password)
    {
        var options = Person.Options(realm.Folder, "alice", "laptop");
        await using var client = await MessagingClient.LoginAsync(realm.Pin, "alice", password, options, cancellationToken: Cancel);
    }

    private static async Task<MessagingException> RefusedAsync(MessagingFailure failure, Func<Task> action)
    {
        var e = await Assert.ThrowsAsync<MessagingException>(action);
        Assert.Equal(failure, e.Failure);
        return e;
    }
}
