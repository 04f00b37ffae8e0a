using System.Security.Cryptography;
using KerberosMessaging.Client;
using KerberosMessaging.EndToEndTests.Support;
using Microsoft.Data.Sqlite;

namespace KerberosMessaging.EndToEndTests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>Large content from one person to another through the SDK.</summary>
public sealed class BlobTests
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 120_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = Patience)]
    public async Task A_blob_comes_as_it_was_uploaded_and_the_server_sees_nothing_of_it()
    {
        await using var realm = await Realm.StartAsync(Cancel, Setup());
        await using var alice = await Person.JoinAsync(realm, "alice", Cancel);
        await using var bob = await Person.JoinAsync(realm, "bob", Cancel);

        foreach (var size in new[] { 0, 1, 65_536, (3 << 20) + 17 })
        {
            var content = RandomNumberGenerator.GetBytes(size);
            using var uploaded = await alice.Client.UploadBlobAsync(new MemoryStream(content), TimeSpan.FromHours(1), Cancel);
            using var bytes = uploaded.ToBytes();
            using var reference = BlobReference.TryRead(bytes.Span)!;
            Assert.Equal(content, await DownloadAsync(bob, reference));
            if (size > 1000)
            {
                Assert.Empty(TempFolder.FilesWith(realm.Folder.File("message"), content.AsSpan(500, 100)));
            }
        }
    }

    [Fact(Timeout = Patience)]
    public async Task Uploads_and_downloads_go_on_after_their_connection_was_cut_and_the_server_was_away()
    {
        // So few requests a second that the upload takes some seconds, and is sometimes told to wait.
        await using var realm = await Realm.StartAsync(
            Cancel, Setup("--Limits:RequestsPerSecondPerClient=100", "--Limits:RequestsBurstPerClient=100"));
        await using var alice = await Person.JoinAsync(realm, "alice", Cancel);
        await using var bob = await Person.JoinAsync(realm, "bob", Cancel);
        var content = RandomNumberGenerator.GetBytes((14 << 20) + 333);
        var upload = alice.Client.UploadBlobAsync(new MemoryStream(content), cancellationToken: Cancel);
        await RestartWhenAsync(realm, () => PartBytes(realm) > 5 << 20);
        Assert.False(upload.IsCompleted);
        using var reference = await upload;
        Assert.Equal(content.Length, reference.Size);

        var destination = new Watched();
        var download = bob.Client.DownloadBlobAsync(reference, destination, Cancel);
        await RestartWhenAsync(realm, () => destination.Written > 3 << 20);
        destination.Go();
        await download;
        Assert.Equal(content, destination.ToArray());
    }

    [Fact(Timeout = Patience)]
    public async Task An_upload_that_is_given_up_leaves_nothing_at_the_server()
    {
        await using var realm = await Realm.StartAsync(
            Cancel, Setup("--Limits:RequestsPerSecondPerClient=100", "--Limits:RequestsBurstPerClient=100"));
        await using var alice = await Person.JoinAsync(realm, "alice", Cancel);
        using var givenUp = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var upload = alice.Client.UploadBlobAsync(new MemoryStream(new byte[20 << 20]), cancellationToken: givenUp.Token);
        await Eventually.TrueAsync(() => PartBytes(realm) > 2 << 20, Cancel);
        await givenUp.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => upload);
        Assert.Equal(0, PartBytes(realm));
    }

    [Fact(Timeout = Patience)]
    public async Task What_was_deleted_or_never_was_is_not_found_and_only_its_uploader_deletes_it()
    {
        await using var realm = await Realm.StartAsync(Cancel, Setup());
        await using var alice = await Person.JoinAsync(realm, "alice", Cancel);
        await using var bob = await Person.JoinAsync(realm, "bob", Cancel);
        using var reference = await alice.Client.UploadBlobAsync(new MemoryStream([1, 2, 3]), cancellationToken: Cancel);

        Assert.Equal(MessagingFailure.BlobNotFound, await FailureAsync(() => bob.Client.DeleteBlobAsync(reference, Cancel)));
        Assert.Equal([1, 2, 3], await DownloadAsync(bob, reference));
        await alice.Client.DeleteBlobAsync(reference, Cancel);
        Assert.Equal(MessagingFailure.BlobNotFound, await FailureAsync(() => DownloadAsync(bob, reference)));
        Assert.Equal(MessagingFailure.BlobNotFound, await FailureAsync(() => alice.Client.DeleteBlobAsync(reference, Cancel)));
    }

    [Fact(Timeout = Patience)]
    public async Task Too_large_and_too_much_are_told_apart()
    {
        await using var realm = await Realm.StartAsync(
            Cancel, Setup("--Blobs:MaxBytes=200000", "--Blobs:MaxBytesPerClient=250000", "--Blobs:MaxStoreBytes=1000000"));
        await using var alice = await Person.JoinAsync(realm, "alice", Cancel);
        Task<BlobReference> Upload(int size) => alice.Client.UploadBlobAsync(new MemoryStream(new byte[size]), cancellationToken: Cancel);

        Assert.Equal(MessagingFailure.BlobTooLarge, await FailureAsync(() => Upload(200_000)));
        (await Upload(150_000)).Dispose();
        Assert.Equal(MessagingFailure.BlobQuotaExceeded, await FailureAsync(() => Upload(150_000)));
    }

    [Fact(Timeout = Patience)]
    public async Task A_server_that_changes_cuts_off_or_exchanges_a_blob_is_found_out()
    {
        await using var realm = await Realm.StartAsync(Cancel, Setup());
        await using var alice = await Person.JoinAsync(realm, "alice", Cancel);
        await using var bob = await Person.JoinAsync(realm, "bob", Cancel);
        const int SealedChunk = 65_600;
        var content = RandomNumberGenerator.GetBytes(3 * 65_536);
        using var reference = await alice.Client.UploadBlobAsync(new MemoryStream(content), cancellationToken: Cancel);
        var file = Assert.Single(Directory.GetFiles(realm.Folder.File("message/blobs"), "*.blob", SearchOption.AllDirectories));
        var stored = await File.ReadAllBytesAsync(file, Cancel);
        byte[] flipped = [.. stored];
        flipped[SealedChunk + 100] ^= 1;
        byte[] swapped = [.. stored[SealedChunk..(2 * SealedChunk)], .. stored[..SealedChunk], .. stored[(2 * SealedChunk)..]];

        foreach (var other in new[] { flipped, swapped, stored[..(2 * SealedChunk)] })
        {
            await File.WriteAllBytesAsync(file, other, Cancel);
            Assert.Equal(MessagingFailure.BlobDamaged, await FailureAsync(() => DownloadAsync(bob, reference)));
        }

        // Cut off with a size to match: the last chunk that is left was not sealed as the last.
        await File.WriteAllBytesAsync(file, stored[..(2 * SealedChunk)], Cancel);
        using (var database = new SqliteConnection($"Data Source={realm.Folder.File("message/message.db")}"))
        {
            database.Open();
            using var command = database.CreateCommand();
            command.CommandText = $"UPDATE Blobs SET Size = {2 * SealedChunk}";
            Assert.Equal(1, command.ExecuteNonQuery());
        }

        using var bytes = reference.ToBytes();
        bytes.Span[38..41].Clear();
        bytes.Span[38] = 2;
        using var shorter = BlobReference.TryRead(bytes.Span)!;
        Assert.Equal(2 * 65_536, shorter.Size);
        Assert.Equal(MessagingFailure.BlobDamaged, await FailureAsync(() => DownloadAsync(bob, shorter)));
        Assert.Equal(MessagingFailure.BlobDamaged, await FailureAsync(() => DownloadAsync(bob, reference)));
    }

    private static RealmSetup Setup(params string[] message) => new() { Message = ["--Blobs:MinimumFreeDiskBytes=0", .. message] };

    private static async Task<byte[]> DownloadAsync(Person person, BlobReference reference)
    {
        var content = new MemoryStream();
        await person.Client.DownloadBlobAsync(reference, content, Cancel);
        return content.ToArray();
    }

    private static async Task<MessagingFailure> FailureAsync(Func<Task> action) =>
        (await Assert.ThrowsAsync<MessagingException>(action)).Failure;

    private static async Task RestartWhenAsync(Realm realm, Func<bool> isTime)
    {
        await Eventually.TrueAsync(isTime, Cancel);
        await realm.StopMessageAsync(Cancel);
        await realm.StartMessageAsync(Cancel);
    }

    private static long PartBytes(Realm realm)
    {
        var folder = new DirectoryInfo(realm.Folder.File("message/blobs"));
        return folder.Exists ? folder.EnumerateFiles("*.part", SearchOption.AllDirectories).Sum(static file => file.Length) : 0;
    }

    /// <summary>Stops once so much was written, until it may go on.</summary>
    private sealed class Watched : MemoryStream
    {
        private readonly TaskCompletionSource _go = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private long _written;

        public long Written => Volatile.Read(ref _written);

        public void Go() => _go.SetResult();

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await base.WriteAsync(buffer, cancellationToken);
            if (Interlocked.Add(ref _written, buffer.Length) > 3 << 20)
            {
                await _go.Task.WaitAsync(cancellationToken);
            }
        }
    }
}
