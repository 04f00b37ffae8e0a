using System.Text;
using KerberosMessaging.Client;
using KerberosMessaging.Cryptography;
using KerberosMessaging.EndToEndTests.Support;

namespace KerberosMessaging.EndToEndTests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

public sealed class StoreTests(RealmFixture fixture) : IClassFixture<RealmFixture>
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 30_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = Patience)]
    public async Task A_wrong_password_and_an_unknown_name_are_refused_alike_and_make_no_store()
    {
        var name = fixture.NewName("alice");
        await Person.RegisterAsync(fixture.Realm, name, Cancel);
        using var wrong = Person.PasswordOf("someone else");
        var options = Person.Options(fixture.Realm.Folder, name, "laptop");

        var known = await Assert.ThrowsAsync<MessagingException>(
            () => MessagingClient.LoginAsync(fixture.Realm.Pin, name, wrong, options, cancellationToken: Cancel));
        var unknown = await Assert.ThrowsAsync<MessagingException>(
            () => MessagingClient.LoginAsync(fixture.Realm.Pin, fixture.NewName("nobody"), wrong, options, cancellationToken: Cancel));

        Assert.Equal(MessagingFailure.LoginFailed, known.Failure);
        Assert.Equal(MessagingFailure.LoginFailed, unknown.Failure);
        Assert.Equal(known.Message, unknown.Message);
        Assert.False(File.Exists(options.StorePath));
    }

    [Fact(Timeout = Patience)]
    public async Task A_store_opens_for_its_own_client_alone()
    {
        await using var alice = await JoinAsync("alice");
        await alice.Client.DisposeAsync();
        var bob = fixture.NewName("bob");
        await Person.RegisterAsync(fixture.Realm, bob, Cancel);
        using var password = Person.PasswordOf(bob);
        using var key = SecretBytes.Random(64);
        using var aliceKey = alice.CopyStoreKey();
        var options = Person.Options(fixture.Realm.Folder, alice.Name, "laptop");

        var otherClient = await Assert.ThrowsAsync<MessagingException>(
            () => MessagingClient.LoginAsync(fixture.Realm.Pin, bob, password, options, cancellationToken: Cancel));
        var otherKey = Assert.Throws<MessagingException>(() => MessagingClient.Open(fixture.Realm.Pin, key, options));
        var otherRealm = Assert.Throws<MessagingException>(() => MessagingClient.Open(
            fixture.Realm.Pin with { Fingerprint = new string('0', 64) }, aliceKey, options));

        Assert.Equal(MessagingFailure.StoreUnusable, otherClient.Failure);
        Assert.Equal(MessagingFailure.StoreUnusable, otherKey.Failure);
        Assert.Equal(MessagingFailure.StoreUnusable, otherRealm.Failure);
        Assert.All(
            [otherClient, otherKey, otherRealm],
            e => Assert.Contains(options.StorePath, e.Message, StringComparison.Ordinal));
        await alice.ReopenAsync();
        Assert.Empty(await alice.ReadAllAsync(Cancel));
    }

    [Fact(Timeout = Patience)]
    public async Task A_key_file_opens_its_store_without_a_password_but_not_for_two_clients()
    {
        var alice = fixture.NewName("service");
        var bob = fixture.NewName("other");
        await Person.RegisterAsync(fixture.Realm, alice, Cancel);
        await Person.RegisterAsync(fixture.Realm, bob, Cancel);
        using var key = SecretBytes.Random(64);
        using var otherKey = SecretBytes.Random(64);
        using var password = Person.PasswordOf(alice);
        using var bobsPassword = Person.PasswordOf(bob);
        var options = Person.Options(fixture.Realm.Folder, alice, "server");
        await using (await MessagingClient.LoginAsync(fixture.Realm.Pin, alice, password, options, key, Cancel))
        {
        }

        await using (var opened = MessagingClient.OpenWithKeyFile(fixture.Realm.Pin, key, options))
        {
            Assert.Equal(alice, opened.Name);
        }

        var wrongKey = Assert.Throws<MessagingException>(
            () => MessagingClient.OpenWithKeyFile(fixture.Realm.Pin, otherKey, options));
        var otherClient = await Assert.ThrowsAsync<MessagingException>(
            () => MessagingClient.LoginAsync(fixture.Realm.Pin, bob, bobsPassword, options, key, Cancel));
        Assert.Equal(MessagingFailure.StoreUnusable, wrongKey.Failure);
        Assert.Equal(MessagingFailure.StoreUnusable, otherClient.Failure);

        // The realm has not made the store's device one of the other client's.
        await using var carol = await JoinAsync("carol");
        var e = await Assert.ThrowsAsync<MessagingException>(() => carol.Client.GetContactAsync(bob, Cancel));
        Assert.Equal(MessagingFailure.RecipientNotReady, e.Failure);
    }

    [Fact(Timeout = Patience)]
    public async Task A_store_is_its_owners_alone_and_shows_neither_texts_nor_names_nor_passwords()
    {
        const string Sent = "what alice wrote to bob";
        const string Answer = "what bob answered to alice";
        await using var alice = await JoinAsync("alice");
        await using var bob = await JoinAsync("bob");
        await alice.Client.SendTextAsync(bob.Name, Sent, Cancel);
        await bob.ReadAllAsync(Cancel);
        await bob.Client.SendTextAsync(alice.Name, Answer, Cancel);
        await alice.ReadAllAsync(Cancel);
        alice.Client.MarkVerified(await alice.Client.GetContactAsync(bob.Name, Cancel));

        var folder = Path.GetDirectoryName(alice.StorePath)!;
        foreach (var text in new[] { Sent, Answer, alice.Name, bob.Name, $"correct horse battery {alice.Name}", $"correct horse battery {bob.Name}" })
        {
            Assert.Empty(TempFolder.FilesWith(folder, Encoding.UTF8.GetBytes(text)));
        }

        // The search finds what is there in clear.
        Assert.NotEmpty(TempFolder.FilesWith(folder, bob.Client.Id.Value.ToByteArray(bigEndian: true)));
        if (!OperatingSystem.IsWindows())
        {
            var files = Directory.EnumerateFiles(folder, $"{alice.Name}-*").ToList();
            Assert.Contains(alice.StorePath, files);
            foreach (var file in files)
            {
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            }

            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
        }
    }

    private Task<Person> JoinAsync(string name) => Person.JoinAsync(fixture.Realm, fixture.NewName(name), Cancel);
}
