using System.Security.Cryptography;
using KerberosMessaging.MessageServer.Domain.Blobs;
using KerberosMessaging.MessageServer.Persistence.Blobs;
using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.MessageServer.Tests.Blobs;

/// <summary>Blobs in a folder and a database of their own, and what a crash would leave of them.</summary>
internal sealed class BlobFixture : IDisposable
{
    public const int Piece = ProtocolLimits.BlobChunkBytes;

    private readonly TempFolder _folder = new();
    private readonly LoggerFactory _loggers = new();

    private BlobFixture(BlobOptions options)
    {
        Options = options;
        _loggers.AddProvider(Log);
    }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public LogLines Log { get; } = new();

    public BlobOptions Options { get; }

    public ClientId Alice { get; } = ClientId.New();

    public BlobIndex Index { get; private set; } = null!;

    public BlobService Blobs { get; private set; } = null!;

    public BlobStore Store { get; private set; } = null!;

    private string Folder => _folder.File("blobs");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task<BlobFixture> MakeAsync(Action<BlobOptions>? change = null)
    {
        var options = new BlobOptions { MinimumFreeDiskBytes = 0 };
        change?.Invoke(options);
        var fixture = new BlobFixture(options);
        await using (var context = new TestContexts(fixture._folder.File("message.db")).CreateDbContext())
        {
            await context.Database.MigrateAsync(Cancellation);
        }

        fixture.Restart();
        return fixture;
    }

    public static byte[] Content(int size) => RandomNumberGenerator.GetBytes(size);

    public static BlobId NewId() => new(Guid.NewGuid());

    /// <summary>What a process that starts anew knows: what is on disk.</summary>
    public void Restart()
    {
        Store = new BlobStore(Folder);
        Index = new BlobIndex(new TestContexts(_folder.File("message.db")), Time);
        Blobs = new BlobService(
            Store, Index, Microsoft.Extensions.Options.Options.Create(Options), Time, _loggers.CreateLogger<BlobService>());
    }

    public BlobAnnouncement Announce(byte[] content, BlobId? id = null, uint timeToLive = 0, ClientId? uploader = null) =>
        new(id ?? NewId(), uploader ?? Alice, content.Length, SHA256.HashData(content), timeToLive);

    public Task<BlobProgress> StartAsync(BlobAnnouncement announced) => Blobs.StartAsync(announced, Cancellation);

    public Task<BlobProgress> WriteAsync(BlobAnnouncement announced, byte[] content, long offset, int most = Piece) =>
        Blobs.WriteAsync(
            announced.Uploader,
            announced.Blob,
            offset,
            content.AsMemory((int)offset, (int)Math.Min(most, content.Length - offset)),
            Cancellation);

    /// <summary>Writes from an offset up to another.</summary>
    public async Task<BlobProgress> WriteUpToAsync(BlobAnnouncement announced, byte[] content, long offset, long end)
    {
        BlobProgress progress = default;
        while (offset < end)
        {
            progress = await WriteAsync(announced, content, offset, (int)Math.Min(Piece, end - offset));
            Assert.Equal(BlobStatus.Ok, progress.Status);
            Assert.True(progress.NextOffset > offset);
            offset = progress.NextOffset;
        }

        return progress;
    }

    public async Task<BlobAnnouncement> UploadAsync(byte[] content, uint timeToLive = 0, ClientId? uploader = null)
    {
        var announced = Announce(content, timeToLive: timeToLive, uploader: uploader);
        Assert.Equal(BlobStatus.Ok, (await StartAsync(announced)).Status);
        Assert.True((await WriteUpToAsync(announced, content, 0, content.Length)).IsComplete);
        return announced;
    }

    public async Task<byte[]?> ReadAsync(BlobId blob)
    {
        var content = new MemoryStream();
        while (true)
        {
            var (_, piece) = await Blobs.ReadAsync(blob, content.Length, Piece, Cancellation);
            if (piece is null)
            {
                return null;
            }

            content.Write(piece.Content.Span);
            if (content.Length == piece.Size)
            {
                return content.ToArray();
            }
        }
    }

    public string PathOf(BlobId blob, string extension)
    {
        var name = blob.Value.ToString("N");
        return Path.Combine(Folder, name[..2], name + extension);
    }

    public async Task SweepAsync()
    {
        await Blobs.SweepExpiredAsync(Cancellation);
        for (var folder = 0; folder < BlobStore.Folders; folder++)
        {
            await Blobs.SweepFolderAsync((byte)folder, Cancellation);
        }
    }

    public IReadOnlyList<string> Files() =>
        Directory.Exists(Folder) ? Directory.GetFiles(Folder, "*", SearchOption.AllDirectories) : [];

    public void Dispose()
    {
        _loggers.Dispose();
        _folder.Dispose();
    }
}
