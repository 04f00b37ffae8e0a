using KerberosMessaging.MessageServer.Domain.Blobs;
using KerberosMessaging.Protocol;
using static KerberosMessaging.MessageServer.Tests.Blobs.BlobFixture;

namespace KerberosMessaging.MessageServer.Tests.Blobs;

public sealed class BlobUploadTests : IAsyncLifetime
{
    private BlobFixture _at = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _at = await MakeAsync(static options =>
    {
        options.MaxBytes = 12 << 20;
        options.MaxBytesPerClient = 20 << 20;
        options.MaxStoreBytes = 24 << 20;
        options.MaxUploadsAtOnce = 3;
        options.MaxBlobsPerClient = 5;
    });

    public ValueTask DisposeAsync()
    {
        _at.Dispose();
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(Piece)]
    [InlineData(Piece + 1)]
    [InlineData((9 << 20) + 5)]
    public async Task What_was_uploaded_is_read(int size)
    {
        var content = Content(size);
        var announced = await _at.UploadAsync(content);

        Assert.Equal(content, await _at.ReadAsync(announced.Blob));
        Assert.Equal([_at.PathOf(announced.Blob, ".blob")], _at.Files());
    }

    [Fact]
    public async Task A_blob_cannot_be_read_before_it_is_complete()
    {
        var content = Content(10);
        var announced = _at.Announce(content);
        await _at.StartAsync(announced);
        Assert.Equal(9, (await _at.WriteUpToAsync(announced, content, 0, 9)).NextOffset);
        Assert.Equal((BlobStatus.Unknown, null), await _at.Blobs.ReadAsync(announced.Blob, 0, 1, Cancellation));

        await _at.WriteUpToAsync(announced, content, 9, 10);
        Assert.Equal(content, await _at.ReadAsync(announced.Blob));
    }

    [Fact]
    public async Task Beyond_the_end_there_is_nothing()
    {
        var announced = await _at.UploadAsync(Content(10));
        Assert.Equal(1, (await _at.Blobs.ReadAsync(announced.Blob, 9, 5, Cancellation)).Piece!.Content.Length);
        Assert.Equal(0, (await _at.Blobs.ReadAsync(announced.Blob, 10, 5, Cancellation)).Piece!.Content.Length);
        Assert.Equal(0, (await _at.Blobs.ReadAsync(announced.Blob, long.MaxValue, 5, Cancellation)).Piece!.Content.Length);
    }

    [Fact]
    public async Task A_piece_at_another_offset_changes_nothing_and_is_told_the_right_one()
    {
        var content = Content(100);
        var announced = _at.Announce(content);
        await _at.StartAsync(announced);
        await _at.WriteUpToAsync(announced, content, 0, 50);

        foreach (var offset in new[] { 0, 49, 51, 99 })
        {
            Assert.Equal((BlobStatus.Ok, 50L), Told(await _at.WriteAsync(announced, Content(100), offset)));
        }

        Assert.True((await _at.WriteAsync(announced, content, 50)).IsComplete);
        var repeated = await _at.WriteAsync(announced, content, 50);
        Assert.Equal((100, true), (repeated.NextOffset, repeated.IsComplete));
        Assert.Equal(content, await _at.ReadAsync(announced.Blob));
    }

    [Fact]
    public async Task Another_digest_at_the_end_removes_the_upload_and_frees_the_id()
    {
        var content = Content(Piece + 10);
        var lie = _at.Announce(content) with { Digest = new byte[32] };
        await _at.StartAsync(lie);
        await _at.WriteUpToAsync(lie, content, 0, Piece);

        Assert.Equal(BlobStatus.Refused, (await _at.WriteAsync(lie, content, Piece)).Status);
        Assert.Equal(BlobStatus.Unknown, (await _at.WriteAsync(lie, content, 0)).Status);
        Assert.Empty(_at.Files());
        Assert.Equal(default, await _at.Index.ReadStatsAsync(Cancellation));
        Assert.Equal(BlobStatus.Ok, (await _at.StartAsync(_at.Announce(content, lie.Blob))).Status);
    }

    [Fact]
    public async Task More_than_was_announced_is_refused_and_not_taken()
    {
        var content = Content(20);
        var announced = _at.Announce(content);
        await _at.StartAsync(announced);
        Assert.Equal(
            BlobStatus.Refused,
            (await _at.Blobs.WriteAsync(_at.Alice, announced.Blob, 0, Content(21), Cancellation)).Status);
        Assert.Equal(0, (await _at.StartAsync(announced)).NextOffset);
        Assert.True((await _at.WriteUpToAsync(announced, content, 0, 20)).IsComplete);
    }

    [Fact]
    public async Task An_id_belongs_to_one_announcement_of_one_client()
    {
        var content = Content(20);
        var announced = _at.Announce(content);
        await _at.StartAsync(announced);
        var bob = ClientId.New();

        foreach (var other in new[]
        {
            announced with { Size = 21 }, announced with { Digest = new byte[32] },
            announced with { TimeToLiveSeconds = 60 }, announced with { Uploader = bob },
        })
        {
            Assert.Equal(BlobStatus.Refused, (await _at.StartAsync(other)).Status);
        }

        Assert.Equal(BlobStatus.Unknown, (await _at.Blobs.WriteAsync(bob, announced.Blob, 0, content, Cancellation)).Status);
        Assert.Equal(BlobStatus.Unknown, await _at.Blobs.DeleteAsync(bob, announced.Blob, Cancellation));
        Assert.True((await _at.WriteUpToAsync(announced, content, 0, 20)).IsComplete);
        Assert.Equal(BlobStatus.Unknown, (await _at.Blobs.WriteAsync(bob, announced.Blob, 0, content, Cancellation)).Status);
        Assert.Equal(BlobStatus.Unknown, await _at.Blobs.DeleteAsync(bob, announced.Blob, Cancellation));
        Assert.True((await _at.StartAsync(announced)).IsComplete);
    }

    [Fact]
    public async Task Its_uploader_deletes_a_blob_at_any_stage()
    {
        var content = Content(20);
        var complete = await _at.UploadAsync(content);
        var unfinished = _at.Announce(content);
        await _at.StartAsync(unfinished);
        await _at.WriteUpToAsync(unfinished, content, 0, 10);

        Assert.Equal(BlobStatus.Ok, await _at.Blobs.DeleteAsync(_at.Alice, complete.Blob, Cancellation));
        Assert.Equal(BlobStatus.Ok, await _at.Blobs.DeleteAsync(_at.Alice, unfinished.Blob, Cancellation));
        Assert.Equal(BlobStatus.Unknown, await _at.Blobs.DeleteAsync(_at.Alice, complete.Blob, Cancellation));
        Assert.Null(await _at.ReadAsync(complete.Blob));
        Assert.Empty(_at.Files());
        Assert.Equal(default, await _at.Index.ReadStatsAsync(Cancellation));
    }

    [Fact]
    public async Task One_blob_a_clients_blobs_and_the_whole_store_have_limits()
    {
        Assert.Equal(BlobStatus.TooLarge, (await _at.StartAsync(Sized((12 << 20) + 1))).Status);

        // Unfinished ones count with what was announced.
        Assert.Equal(BlobStatus.Ok, (await _at.StartAsync(Sized(12 << 20))).Status);
        Assert.Equal(BlobStatus.QuotaExceeded, (await _at.StartAsync(Sized((8 << 20) + 1))).Status);
        Assert.Equal(BlobStatus.Ok, (await _at.StartAsync(Sized(8 << 20))).Status);
        Assert.Equal(BlobStatus.QuotaExceeded, (await _at.StartAsync(Sized(1))).Status);

        var bob = ClientId.New();
        Assert.Equal(BlobStatus.NoRoom, (await _at.StartAsync(Sized((4 << 20) + 1, bob))).Status);
        Assert.Equal(BlobStatus.Ok, (await _at.StartAsync(Sized(4 << 20, bob))).Status);
        Assert.Equal(new BlobStats(0, 0, 3, 24 << 20), await _at.Index.ReadStatsAsync(Cancellation));
    }

    [Fact]
    public async Task Uploads_at_once_and_blobs_in_all_have_limits()
    {
        var content = Content(10);
        for (var i = 0; i < 2; i++)
        {
            await _at.UploadAsync(content);
        }

        var announced = Enumerable.Range(0, 3).Select(_ => _at.Announce(content)).ToArray();
        foreach (var upload in announced)
        {
            Assert.Equal(BlobStatus.Ok, (await _at.StartAsync(upload)).Status);
        }

        Assert.Equal(BlobStatus.QuotaExceeded, (await _at.StartAsync(_at.Announce(content))).Status);
        await _at.WriteUpToAsync(announced[0], content, 0, 10);
        Assert.Equal(BlobStatus.QuotaExceeded, (await _at.StartAsync(_at.Announce(content))).Status);
        await _at.Blobs.DeleteAsync(_at.Alice, announced[0].Blob, Cancellation);
        Assert.Equal(BlobStatus.Ok, (await _at.StartAsync(_at.Announce(content))).Status);
    }

    [Fact]
    public async Task Of_many_announcements_at_once_no_more_are_taken_than_may_be()
    {
        var taken = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => Task.Run(() => _at.StartAsync(Sized(1)))));
        Assert.Equal(3, taken.Count(static progress => progress.Status == BlobStatus.Ok));
        Assert.Equal(9, taken.Count(static progress => progress.Status == BlobStatus.QuotaExceeded));
    }

    [Fact]
    public async Task A_disk_that_is_nearly_full_takes_nothing_more()
    {
        var content = Content(20);
        var announced = _at.Announce(content);
        await _at.StartAsync(announced);
        _at.Options.MinimumFreeDiskBytes = long.MaxValue / 2;

        Assert.Equal(BlobStatus.NoRoom, (await _at.StartAsync(_at.Announce(content))).Status);
        Assert.Equal(BlobStatus.NoRoom, (await _at.WriteAsync(announced, content, 0)).Status);
        Assert.Single(_at.Log.Lines, static line => line.Text.Contains("MinimumFreeDiskBytes", StringComparison.Ordinal));

        _at.Options.MinimumFreeDiskBytes = 0;
        Assert.True((await _at.WriteAsync(announced, content, 0)).IsComplete);
    }

    [Fact]
    public async Task Uploads_of_one_blob_from_many_sides_take_turns_and_yield_one_blob()
    {
        var content = Content(3 * Piece);
        var announced = _at.Announce(content);
        var uploads = Enumerable.Range(0, 6).Select(_ => Task.Run(async () =>
        {
            var progress = await _at.StartAsync(announced);
            while (!progress.IsComplete)
            {
                Assert.Equal(BlobStatus.Ok, progress.Status);
                progress = await _at.WriteAsync(announced, content, progress.NextOffset);
            }
        }));
        await Task.WhenAll(uploads);

        Assert.Equal(content, await _at.ReadAsync(announced.Blob));
        Assert.Equal(new BlobStats(1, content.Length, 0, 0), await _at.Index.ReadStatsAsync(Cancellation));
    }

    [Fact]
    public async Task Pieces_that_are_under_way_together_are_taken_in_their_order()
    {
        var content = Content(8 * Piece);
        var announced = _at.Announce(content);
        await _at.StartAsync(announced);
        var told = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => _at.WriteAsync(announced, content, i * Piece)));

        Assert.Equal(Enumerable.Range(1, 8).Select(static i => i * (long)Piece), told.Select(static progress => progress.NextOffset));
        Assert.Equal(content, await _at.ReadAsync(announced.Blob));
    }

    [Fact]
    public async Task While_the_disk_fails_the_uploader_is_told_to_come_again_and_later_goes_on()
    {
        var content = Content(20);
        var announced = _at.Announce(content);
        await _at.StartAsync(announced);

        // A file where the folder of the blob belongs.
        var folder = Path.GetDirectoryName(_at.PathOf(announced.Blob, ".part"))!;
        await File.WriteAllTextAsync(folder, "", Cancellation);
        Assert.Equal(BlobStatus.Busy, (await _at.WriteAsync(announced, content, 0)).Status);
        File.Delete(folder);

        Assert.True((await _at.WriteAsync(announced, content, 0)).IsComplete);
        Assert.Equal(content, await _at.ReadAsync(announced.Blob));
        Assert.DoesNotContain(_at.Log.Lines, line => line.Text.Contains($"{announced.Blob.Value:N}", StringComparison.Ordinal));
        Assert.Contains(_at.Log.Lines, static line => line.Text.Contains("could not be stored", StringComparison.Ordinal));
    }

    private static (BlobStatus Status, long NextOffset) Told(BlobProgress progress) => (progress.Status, progress.NextOffset);

    private BlobAnnouncement Sized(long size, ClientId? uploader = null) =>
        new(NewId(), uploader ?? _at.Alice, size, new byte[32], 0);
}
