using System.Security.Cryptography;
using KerberosMessaging.Client.Blobs;
using KerberosMessaging.Client.Tests.Support;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Tests;

namespace KerberosMessaging.Client.Tests;

/// <summary>Blobs as docs/protocol.md, section 11.11, says they are.</summary>
public sealed class BlobFormatTests : IDisposable
{
    private const int Chunk = 65_536;
    private const int SealedChunk = 65_600;

    private static readonly BlobId Blob = new(new Guid([.. Enumerable.Range(0x80, 16).Select(static i => (byte)i)], bigEndian: true));

    private readonly TempFolder _folder = new();
    private readonly SecretBytes _key = SecretBytes.Random(64);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _key.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(0, 1, 64)]
    [InlineData(1, 1, 64)]
    [InlineData(Chunk - 1, 1, Chunk + 48)]
    [InlineData(Chunk, 1, SealedChunk)]
    [InlineData(Chunk + 1, 2, SealedChunk + 64)]
    [InlineData(3 * Chunk, 3, 3 * SealedChunk)]
    public async Task Content_of_each_size_has_its_chunks(int size, long chunks, long sealedSize)
    {
        var content = RandomNumberGenerator.GetBytes(size);
        await using var file = await SealAsync(content);

        Assert.Equal((chunks, sealedSize), (BlobFormat.CountChunks(size), BlobFormat.SealedSize(size)));
        Assert.Equal((size, sealedSize), (file.ContentSize, file.Size));
        var bytes = await file.ReadAsync(0, (int)file.Size, Cancel);
        Assert.Equal(SHA256.HashData(bytes), file.Digest);

        var opened = new List<byte>();
        for (var i = 0; i < chunks; i++)
        {
            var sealedChunk = bytes.AsSpan(i * SealedChunk, Math.Min(SealedChunk, bytes.Length - (i * SealedChunk)));
            byte[] place = [.. "kmsg/25 blob\0"u8, .. Blob.Value.ToByteArray(bigEndian: true), 0, 0, 0, 0, 0, 0, 0, (byte)i, i == chunks - 1 ? (byte)1 : (byte)0];
            Assert.Equal(place, BlobFormat.PlaceOf(Blob, i, i == chunks - 1));
            Assert.True(AuthenticatedCbc.TryOpen(_key.Span, sealedChunk, place, out var plaintext));
            opened.AddRange(plaintext);
        }

        Assert.Equal(content, opened);
    }

    [Fact]
    public void The_example_of_the_specification_is_a_blob()
    {
        using var reference = BlobReference.TryRead(SpecificationDocument.Example("blob-reference"));
        var sealedContent = SpecificationDocument.Example("blob-sealed");
        Assert.NotNull(reference);
        Assert.Equal((1, sealedContent.Length), (BlobFormat.CountChunks(reference.Size), BlobFormat.SealedSize(reference.Size)));
        Assert.Equal(SpecificationDocument.Example("blob-digest"), SHA256.HashData(sealedContent));

        var place = BlobFormat.PlaceOf(reference.Blob, 0, isLast: true);
        Assert.Equal(SpecificationDocument.Example("blob-associated-data"), place);
        Assert.True(AuthenticatedCbc.TryOpen(reference.Key.Span, sealedContent, place, out var content));
        Assert.Equal("Grüße, große Datei"u8, content);
        Assert.Equal(reference.Size, content.Length);
    }

    [Fact]
    public async Task Content_that_comes_in_drops_is_cut_in_the_same_way()
    {
        await using var file = await SealedFile.MakeAsync(
            _folder.File("store.db"), new Drops(RandomNumberGenerator.GetBytes(Chunk + 5)), Blob, _key, Cancel);
        Assert.Equal((Chunk + 5L, BlobFormat.SealedSize(Chunk + 5)), (file.ContentSize, file.Size));
    }

    [Fact]
    public async Task The_sealed_copy_leaves_nothing_behind()
    {
        await using (await SealAsync(new byte[10]))
        {
            if (!OperatingSystem.IsWindows())
            {
                Assert.Empty(Files());
            }
        }

        Assert.Empty(Files());
    }

    [Fact]
    public async Task Where_the_copy_cannot_be_made_that_is_told()
    {
        var e = await Assert.ThrowsAsync<MessagingException>(() => SealedFile.MakeAsync(
            _folder.File("missing/store.db"), new MemoryStream(), Blob, _key, Cancel));
        Assert.Equal(MessagingFailure.StoreUnusable, e.Failure);
    }

    [Fact]
    public void A_reference_is_read_as_it_was_written()
    {
        var server = ServerId.New();
        using var reference = new BlobReference(server, Blob, 0x0102030405060708, _key.Clone());
        using var bytes = reference.ToBytes();
        Assert.Equal(
            [
                1, .. server.Value.ToByteArray(bigEndian: true), .. Blob.Value.ToByteArray(bigEndian: true),
                1, 2, 3, 4, 5, 6, 7, 8, .. _key.Span,
            ],
            bytes.Span.ToArray());

        using var read = BlobReference.TryRead(bytes.Span);
        Assert.NotNull(read);
        Assert.Equal((server, Blob, 0x0102030405060708), (read.Server, read.Blob, read.Size));
        Assert.Equal(_key.Span, read.Key.Span);
        Assert.Equal("blob of 72623859790382856 bytes, [redacted]", read.ToString());
    }

    [Theory]
    [InlineData(0, 2)]
    [InlineData(33, 0x80)]
    [InlineData(33, 0x41)]
    public void What_is_no_reference_is_not_read(int at, byte value)
    {
        using var reference = new BlobReference(ServerId.New(), Blob, 5, _key.Clone());
        using var bytes = reference.ToBytes();
        Assert.Null(BlobReference.TryRead(bytes.Span[1..]));
        Assert.Null(BlobReference.TryRead([.. bytes.Span, 0]));
        bytes.Span[at] = value;
        Assert.Null(BlobReference.TryRead(bytes.Span));
    }

    private string[] Files() => Directory.GetFiles(Path.GetDirectoryName(_folder.File("store.db"))!);

    private Task<SealedFile> SealAsync(byte[] content) =>
        SealedFile.MakeAsync(_folder.File("store.db"), new MemoryStream(content), Blob, _key, Cancel);

    // Gives at most a few bytes at a time, as a network does.
    private sealed class Drops(byte[] content) : MemoryStream(content)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(997, buffer.Length)], cancellationToken);
    }
}
