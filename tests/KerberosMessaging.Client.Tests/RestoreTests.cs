using KerberosMessaging.Client.Backups;
using KerberosMessaging.Client.Store;
using KerberosMessaging.Client.Tests.Support;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Client.Tests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>A device goes on from its backup, and nothing is left of a restore that failed.</summary>
public sealed class RestoreTests : IAsyncLifetime
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 60_000;

    private readonly TempFolder _folder = new();
    private readonly ScriptedRealm _realm = new();
    private readonly SecretBytes _passphrase = Password.FromCharacters("a passphrase of its own");
    private DeviceId _device;
    private ClientId _client;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string BackupPath => _folder.File("alice.backup");

    private MessagingOptions Options => ScriptedRealm.Options(_folder, "restored") with { OperationTimeout = TimeSpan.FromSeconds(10) };

    public async ValueTask InitializeAsync()
    {
        await using var bob = await _realm.JoinAsync(_folder, "bob", Cancel);
        await using var alice = await _realm.JoinAsync(_folder, "alice", Cancel);
        (_client, _device) = (alice.Id, alice.Device);
        await bob.SendTextAsync("alice", "hello", Cancel);
        Assert.Single(await alice.ReceiveAllAsync(Cancel));
        await alice.CreateBackupAsync(BackupPath, _passphrase, Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        _passphrase.Dispose();
        await _realm.DisposeAsync();
        _folder.Dispose();
    }

    [Fact(Timeout = Patience)]
    public async Task A_restored_device_is_the_one_that_was_backed_up()
    {
        await using (var restored = await RestoreAsync())
        {
            Assert.Equal(_client, restored.Id);
            Assert.Equal(_device, restored.Device);
            Assert.Equal(_device, Assert.Single(_realm.LookUp("alice").Devices.Select(
                device => Tickets.DeviceCertificate.TryRead(device.Certificate, _realm.Auth.Key.PublicKey.Span)!.Device)));
        }

        // Under the password from now on, like any store.
        using var password = ScriptedRealm.PasswordOf("alice");
        await using var again = await MessagingClient.LoginAsync(_realm.Pin, "alice", password, Options, cancellationToken: Cancel);
        Assert.Equal(_device, again.Device);
        using var key = again.CopyStoreKey();
        using var store = LocalStore.Open(Options.StorePath, key);
        var message = Assert.Single(store.Read(static transaction => transaction.ListMessages(null, null, 10)));
        Assert.Equal("hello", message.Content?.Text);
        Assert.True(message.IsRead);
        Assert.Equal("bob", store.Read(transaction => transaction.FindContactName(message.Peer)));
        Assert.True(store.Read(transaction => transaction.IsReceived(message.Peer, message.Message)));
        Assert.Empty(Unfinished());
    }

    [Fact(Timeout = Patience)]
    public async Task A_service_restores_into_a_store_under_its_key_file()
    {
        using var keyFile = SecretBytes.Random(32);
        await (await RestoreAsync(storeOuterKey: keyFile)).DisposeAsync();

        await using var opened = MessagingClient.OpenWithKeyFile(_realm.Pin, keyFile, Options);

        Assert.Equal(_device, opened.Device);
    }

    [Fact(Timeout = Patience)]
    public async Task Another_passphrase_a_damaged_file_and_no_file_leave_nothing_behind()
    {
        using var wrong = Password.FromCharacters("another one");
        await Refusal.OfAsync(MessagingFailure.BackupUnusable, () => RestoreAsync(passphrase: wrong));
        await Refusal.OfAsync(MessagingFailure.BackupUnusable, () => RestoreAsync(backupPath: _folder.File("none")));
        var bytes = await File.ReadAllBytesAsync(BackupPath, Cancel);
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(BackupPath, bytes, Cancel);
        await Refusal.OfAsync(MessagingFailure.BackupUnusable, () => RestoreAsync());
        await File.WriteAllBytesAsync(BackupPath, bytes[..^70], Cancel);
        await Refusal.OfAsync(MessagingFailure.BackupUnusable, () => RestoreAsync());

        AssertNothingLeft();
    }

    [Fact(Timeout = Patience)]
    public async Task A_backup_of_another_client_or_realm_is_refused()
    {
        await Refusal.OfAsync(MessagingFailure.BackupUnusable, () => RestoreAsync(name: "bob"));
        await using var other = new ScriptedRealm();
        await Refusal.OfAsync(MessagingFailure.BackupUnusable, () => RestoreAsync(realm: other.Pin));

        Assert.Empty(other.Auth.Requests);
        AssertNothingLeft();
    }

    [Fact(Timeout = Patience)]
    public async Task A_client_that_took_over_the_name_does_not_get_the_backup()
    {
        _realm.Find("alice").Id = ClientId.New();

        var e = await Refusal.OfAsync(MessagingFailure.StoreUnusable, () => RestoreAsync());

        Assert.Contains("another client", e.Message, StringComparison.Ordinal);
        AssertNothingLeft();
    }

    [Theory(Timeout = Patience)]
    [InlineData("")]
    [InlineData("-wal")]
    public async Task A_store_that_is_there_is_not_touched(string suffix)
    {
        var path = Options.StorePath + suffix;
        await File.WriteAllTextAsync(path, "all there is", Cancel);

        await Refusal.OfAsync(MessagingFailure.StoreUnusable, () => RestoreAsync());

        Assert.Equal("all there is", await File.ReadAllTextAsync(path, Cancel));
        Assert.Empty(Unfinished());
    }

    [Fact(Timeout = Patience)]
    public async Task A_login_that_is_refused_leaves_nothing_and_can_be_tried_again()
    {
        using var wrong = ScriptedRealm.PasswordOf("mallory");
        await Refusal.OfAsync(MessagingFailure.LoginFailed, () => RestoreAsync(password: wrong));
        AssertNothingLeft();

        // After the store has its name.
        using (_realm.Auth.Twist(MessageCode.FinishLogin, static _ => new ErrorReply(ProtocolError.DeviceRefused, 0)))
        {
            await Refusal.OfAsync(MessagingFailure.DeviceRefused, () => RestoreAsync());
            AssertNothingLeft();
        }

        await using var restored = await RestoreAsync();
        Assert.Equal(_device, restored.Device);
    }

    [Fact(Timeout = Patience)]
    public async Task What_a_crash_left_of_an_earlier_restore_is_in_nobodys_way()
    {
        await File.WriteAllBytesAsync($"{Options.StorePath}.{Guid.NewGuid():N}.restoring", [1, 2, 3], Cancel);

        await using var restored = await RestoreAsync();

        Assert.Equal(_device, restored.Device);
    }

    private async Task<MessagingClient> RestoreAsync(
        string name = "alice",
        SecretBytes? password = null,
        SecretBytes? passphrase = null,
        string? backupPath = null,
        RealmPin? realm = null,
        SecretBytes? storeOuterKey = null)
    {
        using var right = ScriptedRealm.PasswordOf(name);
        return await MessagingClient.RestoreAsync(
            realm ?? _realm.Pin,
            name,
            password ?? right,
            backupPath ?? BackupPath,
            passphrase ?? _passphrase,
            Options,
            storeOuterKey,
            Cancel);
    }

    private string[] Unfinished() => Directory.GetFiles(Path.GetDirectoryName(Options.StorePath)!, "*.restoring*");

    private void AssertNothingLeft() =>
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(Options.StorePath)!, "restored*"));
}
