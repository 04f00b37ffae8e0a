using KerberosMessaging.MessageServer.Domain.Blobs;
using static KerberosMessaging.MessageServer.Tests.Blobs.BlobFixture;

namespace KerberosMessaging.MessageServer.Tests.Blobs;

/// <summary>What a crash leaves, and what time and sweeps take away.</summary>
public sealed class BlobRecoveryTests : IAsyncLifetime
{
    private const int Flushed = 4 << 20;

    private BlobFixture _at = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _at = await MakeAsync();

    public ValueTask DisposeAsync()
    {
        _at.Dispose();
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(Piece, 0)]
    [InlineData(Flushed, 0)]
    [InlineData(Flushed + Piece - 1, 0)]
    [InlineData(Flushed + Piece, Flushed)]
    [InlineData((2 * Flushed) + Piece + 7, 2 * Flushed)]
    public async Task An_upload_goes_on_after_a_restart_from_what_was_surely_on_disk(int written, int kept)
    {
        var content = Content((2 * Flushed) + (2 * Piece));
        var announced = _at.Announce(content);
        await _at.StartAsync(announced);
        await _at.WriteUpToAsync(announced, content, 0, written);
        _at.Restart();

        var resumed = await _at.StartAsync(announced);
        Assert.Equal((kept, false), (resumed.NextOffset, resumed.IsComplete));
        Assert.True((await _at.WriteUpToAsync(announced, content, resumed.NextOffset, content.Length)).IsComplete);
        Assert.Equal(content, await _at.ReadAsync(announced.Blob));
    }

    [Fact]
    public async Task A_piece_that_comes_first_after_a_restart_is_told_where_to_go_on()
    {
        var content = Content(2 * Piece);
        var announced = _at.Announce(content);
        await _at.StartAsync(announced);
        await _at.WriteUpToAsync(announced, content, 0, Piece);
        _at.Restart();

        Assert.Equal((BlobStatus.Ok, 0L), Told(await _at.WriteAsync(announced, content, Piece)));
        Assert.Equal((BlobStatus.Ok, (long)Piece), Told(await _at.WriteAsync(announced, content, 0)));
    }

    [Fact]
    public async Task A_complete_blob_is_complete_after_a_restart()
    {
        var content = Content(Piece + 1);
        var announced = await _at.UploadAsync(content);
        _at.Restart();

        var told = await _at.StartAsync(announced);
        Assert.Equal((content.Length, true), (told.NextOffset, told.IsComplete));
        Assert.True((await _at.WriteAsync(announced, content, Piece)).IsComplete);
        Assert.Equal(content, await _at.ReadAsync(announced.Blob));
    }

    [Theory]
    [InlineData(".part")]
    [InlineData(".blob")]
    public async Task A_crash_before_the_row_says_complete_is_mended_by_the_next_question(string extension)
    {
        var content = Content(Flushed + Piece + 9);
        var announced = _at.Announce(content);
        await _at.StartAsync(announced);
        await _at.WriteUpToAsync(announced, content, 0, content.Length - 1);
        var part = _at.PathOf(announced.Blob, ".part");
        await File.WriteAllBytesAsync(part, content, Cancellation);
        File.Move(part, _at.PathOf(announced.Blob, extension));
        _at.Restart();

        Assert.Null(await _at.ReadAsync(announced.Blob));
        await _at.SweepAsync();
        var progress = await _at.StartAsync(announced);
        if (extension == ".blob")
        {
            Assert.True(progress.IsComplete);
        }
        else
        {
            Assert.True((await _at.WriteUpToAsync(announced, content, progress.NextOffset, content.Length)).IsComplete);
        }

        Assert.Equal(content, await _at.ReadAsync(announced.Blob));
        Assert.Equal([_at.PathOf(announced.Blob, ".blob")], _at.Files());
    }

    [Fact]
    public async Task What_was_broken_off_while_it_was_compared_is_compared_again()
    {
        var content = Content(10);
        var announced = _at.Announce(content);
        await _at.StartAsync(announced);
        await _at.WriteUpToAsync(announced, content, 0, 9);
        using var ended = new CancellationTokenSource();
        await ended.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => _at.Blobs.WriteAsync(_at.Alice, announced.Blob, 9, content.AsMemory(9), ended.Token));
        Assert.Null(await _at.ReadAsync(announced.Blob));

        Assert.True((await _at.StartAsync(announced)).IsComplete);
        Assert.Equal(content, await _at.ReadAsync(announced.Blob));
    }

    [Fact]
    public async Task What_a_power_cut_made_of_a_file_is_never_called_complete()
    {
        var content = Content(Flushed + (2 * Piece));
        var announced = _at.Announce(content);
        await _at.StartAsync(announced);
        await _at.WriteUpToAsync(announced, content, 0, Flushed + Piece);
        using (var part = File.Open(_at.PathOf(announced.Blob, ".part"), FileMode.Open))
        {
            part.Position = 100;
            part.Write(new byte[1000]);
        }

        _at.Restart();
        var progress = await _at.StartAsync(announced);
        Assert.Equal(Flushed, progress.NextOffset);
        Assert.Equal(Flushed + Piece, (await _at.WriteAsync(announced, content, Flushed)).NextOffset);
        Assert.Equal(BlobStatus.Refused, (await _at.WriteAsync(announced, content, Flushed + Piece)).Status);
        Assert.Null(await _at.ReadAsync(announced.Blob));
        Assert.Empty(_at.Files());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(10)]
    public async Task A_part_file_that_was_cut_off_is_uploaded_from_there(int left)
    {
        var content = Content(Flushed + (2 * Piece));
        var announced = _at.Announce(content);
        await _at.StartAsync(announced);
        await _at.WriteUpToAsync(announced, content, 0, Flushed + Piece);
        using (var part = File.Open(_at.PathOf(announced.Blob, ".part"), FileMode.Open))
        {
            part.SetLength(left);
        }

        _at.Restart();
        Assert.Equal(0, (await _at.StartAsync(announced)).NextOffset);
        Assert.True((await _at.WriteUpToAsync(announced, content, 0, content.Length)).IsComplete);
        Assert.Equal(content, await _at.ReadAsync(announced.Blob));
    }

    [Fact]
    public async Task A_blob_lives_as_long_as_was_asked_and_no_longer_than_the_server_keeps_any()
    {
        _at.Options.TimeToLiveSeconds = 3600;
        var byDefault = await _at.UploadAsync(Content(1));
        var shorter = await _at.UploadAsync(Content(1), timeToLive: 60);
        var longer = await _at.UploadAsync(Content(1), timeToLive: 7200);
        Assert.Equal(_at.Time.GetUtcNow().AddSeconds(60), (await _at.StartAsync(shorter)).ExpiresAt);
        Assert.Equal(_at.Time.GetUtcNow().AddSeconds(3600), (await _at.StartAsync(longer)).ExpiresAt);

        _at.Time.Advance(TimeSpan.FromSeconds(60));
        Assert.Null(await _at.ReadAsync(shorter.Blob));
        Assert.NotNull(await _at.ReadAsync(byDefault.Blob));
        await _at.SweepAsync();
        Assert.Equal(2, _at.Files().Count);

        _at.Time.Advance(TimeSpan.FromSeconds(3540));
        Assert.Null(await _at.ReadAsync(longer.Blob));
        await _at.SweepAsync();
        Assert.Empty(_at.Files());
        Assert.Equal(default, await _at.Index.ReadStatsAsync(Cancellation));
    }

    [Fact]
    public async Task An_upload_is_given_up_when_nothing_comes_for_a_day()
    {
        var content = Content(4);
        var announced = _at.Announce(content);
        await _at.StartAsync(announced);
        for (var i = 0; i < 2; i++)
        {
            _at.Time.Advance(TimeSpan.FromHours(20));
            await _at.SweepAsync();
            Assert.Equal(i + 1, (await _at.WriteAsync(announced, content, i, most: 1)).NextOffset);
        }

        _at.Time.Advance(TimeSpan.FromHours(24));
        Assert.Equal(BlobStatus.Unknown, (await _at.WriteAsync(announced, content, 2)).Status);
        Assert.Empty(_at.Files());
        Assert.Equal(0, (await _at.StartAsync(announced)).NextOffset);
        _at.Time.Advance(TimeSpan.FromHours(24));
        await _at.SweepAsync();
        Assert.Equal(default, await _at.Index.ReadStatsAsync(Cancellation));
    }

    [Fact]
    public async Task Files_without_a_row_are_swept_and_strangers_are_left_alone()
    {
        var content = Content(10);
        var kept = await _at.UploadAsync(content);
        var unfinished = _at.Announce(content);
        await _at.StartAsync(unfinished);
        await _at.WriteUpToAsync(unfinished, content, 0, 5);
        var orphans = new[] { (await _at.UploadAsync(content)).Blob, (await _at.UploadAsync(content)).Blob };
        File.Move(_at.PathOf(orphans[1], ".blob"), _at.PathOf(orphans[1], ".part"));
        foreach (var orphan in orphans)
        {
            await _at.Index.RemoveAsync(orphan);
        }

        var stranger = Path.Combine(Path.GetDirectoryName(_at.PathOf(kept.Blob, ""))!, "notes.blob");
        await File.WriteAllTextAsync(stranger, "", Cancellation);
        _at.Restart();
        await _at.SweepAsync();

        Assert.Equal(
            new[] { _at.PathOf(kept.Blob, ".blob"), _at.PathOf(unfinished.Blob, ".part"), stranger }.Order(), _at.Files().Order());
        Assert.Equal(content, await _at.ReadAsync(kept.Blob));
    }

    [Fact]
    public async Task Complete_rows_without_a_file_are_swept_and_told_of()
    {
        var lost = await _at.UploadAsync(Content(10));
        var waiting = _at.Announce(Content(10));
        await _at.StartAsync(waiting);
        File.Delete(_at.PathOf(lost.Blob, ".blob"));

        Assert.Null(await _at.ReadAsync(lost.Blob));
        await _at.SweepAsync();
        Assert.Equal(new BlobStats(0, 0, 1, 10), await _at.Index.ReadStatsAsync(Cancellation));
        Assert.Contains(_at.Log.Lines, static line => line.Text.Contains("files of 1 blobs are missing", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Many_expired_blobs_are_swept_in_one_go()
    {
        _at.Options.MaxUploadsAtOnce = 300;
        for (var i = 0; i < 250; i++)
        {
            await _at.StartAsync(_at.Announce([1]));
        }

        _at.Time.Advance(TimeSpan.FromDays(1));
        await _at.Blobs.SweepExpiredAsync(Cancellation);
        Assert.Equal(default, await _at.Index.ReadStatsAsync(Cancellation));
    }

    private static (BlobStatus Status, long NextOffset) Told(BlobProgress progress) => (progress.Status, progress.NextOffset);
}
