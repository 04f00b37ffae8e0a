using System.Globalization;
using System.Security.Cryptography;
using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.Protocol;
using Microsoft.Win32.SafeHandles;

namespace KerberosMessaging.MessageServer.Persistence.Blobs;

/// <summary>
/// The files of blobs: <c>ID.part</c> while it is uploaded, <c>ID.blob</c> once it is complete, in a folder named after the
/// id's first byte. Names are made of parsed ids alone. Callers take turns for each blob.
/// </summary>
internal sealed class BlobStore(string folder)
{
    /// <summary>How many folders there are: one for each first byte.</summary>
    public const int Folders = 256;

    private const string Part = ".part";
    private const string Whole = ".blob";
    private const int ReadBytes = 1024 * 1024;

    // An upload is written to disk each time it passes a multiple of this: so rarely that messages hardly wait for it, so
    // often that the disk is never far behind.
    private const long FlushBytes = 4 * 1024 * 1024;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Where a complete blob lies below the folder, with <c>/</c>.</summary>
    public static string PathOf(BlobId blob) => $"{FirstByte(blob):x2}/{blob.Value:N}{Whole}";

    /// <summary>How many bytes the disk has left for this server.</summary>
    public long FreeBytes => new DriveInfo(Prepare(folder)).AvailableFreeSpace;

    /// <summary>Takes an upload up that this process did not write: after a power cut only some of it can be relied upon.</summary>
    /// <returns>How much of it there is now.</returns>
    public long Reopen(BlobId blob)
    {
        var (part, whole) = (PathOf(blob, Part), PathOf(blob, Whole));
        if (File.Exists(whole))
        {
            // It was complete and on disk, but its row does not say so: the server ended in between.
            File.Move(whole, part, overwrite: true);
            return new FileInfo(part).Length;
        }

        if (!File.Exists(part))
        {
            return 0;
        }

        // What is this far behind the end was flushed before more was taken.
        using var file = File.OpenHandle(part, FileMode.Open, FileAccess.Write);
        var flushed = Math.Max(0, RandomAccess.GetLength(file) - ProtocolLimits.BlobChunkBytes) / FlushBytes * FlushBytes;
        RandomAccess.SetLength(file, flushed);
        return flushed;
    }

    /// <summary>Adds bytes to an upload.</summary>
    /// <param name="blob">The blob.</param>
    /// <param name="offset">How much of it there is.</param>
    /// <param name="content">What follows, at most <see cref="ProtocolLimits.BlobChunkBytes"/>.</param>
    public async Task AppendAsync(BlobId blob, long offset, ReadOnlyMemory<byte> content)
    {
        Prepare(folder);
        Prepare(FolderOf(blob));
        using var file = OpenPart(blob);
        await RandomAccess.WriteAsync(file, content, offset);
        if (offset / FlushBytes != (offset + content.Length) / FlushBytes)
        {
            // On a thread of its own, like whatever else waits long for the disk: the pool has about as many as there are cores.
            await RunAsync(() => RandomAccess.FlushToDisk(file));
        }
    }

    /// <summary>
    /// Compares what was uploaded with its digest, and gives it its final name. It is on disk when this returns.
    /// </summary>
    /// <returns>False when size or digest are others; nothing was changed then.</returns>
    /// <exception cref="OperationCanceledException">It was broken off before anything was changed.</exception>
    public Task<bool> TryCompleteAsync(BlobId blob, long size, byte[] digest, CancellationToken cancellationToken) => RunAsync(() =>
    {
        using (var file = OpenPart(blob))
        {
            if (RandomAccess.GetLength(file) != size || !Digest(file, cancellationToken).AsSpan().SequenceEqual(digest))
            {
                return false;
            }

            RandomAccess.FlushToDisk(file);
        }

        File.Move(PathOf(blob, Part), PathOf(blob, Whole), overwrite: true);
        FolderFlush.Run(FolderOf(blob));
        return true;
    });

    /// <summary>Whether there is a complete file.</summary>
    public bool IsComplete(BlobId blob) => File.Exists(PathOf(blob, Whole));

    /// <summary>Reads bytes of a complete file.</summary>
    /// <returns>As many as there are; null when there is no file.</returns>
    public async Task<byte[]?> ReadAsync(BlobId blob, long offset, int most, CancellationToken cancellationToken)
    {
        SafeFileHandle file;
        try
        {
            file = File.OpenHandle(
                PathOf(blob, Whole), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.Asynchronous);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }

        using (file)
        {
            var content = new byte[(int)Math.Clamp(RandomAccess.GetLength(file) - offset, 0, most)];
            for (var read = 0; read < content.Length;)
            {
                var more = await RandomAccess.ReadAsync(file, content.AsMemory(read), offset + read, cancellationToken);
                if (more == 0)
                {
                    throw new EndOfStreamException("A file became shorter while it was read.");
                }

                read += more;
            }

            return content;
        }
    }

    /// <summary>Removes a blob's files, if there are any.</summary>
    public void Remove(BlobId blob)
    {
        if (Directory.Exists(FolderOf(blob)))
        {
            File.Delete(PathOf(blob, Part));
            File.Delete(PathOf(blob, Whole));
        }
    }

    /// <summary>The blobs with a file in one of the folders. What is not named like a blob is left alone.</summary>
    public IReadOnlyList<BlobId> List(byte first)
    {
        var path = FolderOf(first);
        return Directory.Exists(path)
            ? [.. Directory.EnumerateFiles(path).Select(Parse).OfType<BlobId>().Where(blob => FirstByte(blob) == first).Distinct()]
            : [];
    }

    private static BlobId? Parse(string path) =>
        Path.GetExtension(path) is Part or Whole
        && Path.GetFileNameWithoutExtension(path) is var name
        && Guid.TryParseExact(name, "N", out var id)
        && name == id.ToString("N")
            ? new BlobId(id)
            : null;

    private static byte FirstByte(BlobId blob) => blob.Value.ToByteArray(bigEndian: true)[0];

    private static byte[] Digest(SafeFileHandle file, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[ReadBytes];
        var offset = 0L;
        while (RandomAccess.Read(file, buffer, offset) is > 0 and var read)
        {
            cancellationToken.ThrowIfCancellationRequested();
            hash.AppendData(buffer.AsSpan(0, read));
            offset += read;
        }

        return hash.GetHashAndReset();
    }

    private static Task<T> RunAsync<T>(Func<T> work) => Task.Factory.StartNew(
        work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static Task RunAsync(Action work) => Task.Factory.StartNew(
        work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private SafeFileHandle OpenPart(BlobId blob) => File.OpenHandle(
        PathOf(blob, Part), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, FileOptions.Asynchronous);

    private string PathOf(BlobId blob, string extension) => Path.Combine(FolderOf(blob), blob.Value.ToString("N") + extension);

    private string FolderOf(BlobId blob) => FolderOf(FirstByte(blob));

    private string FolderOf(byte first) => Path.Combine(folder, first.ToString("x2", CultureInfo.InvariantCulture));

    // The entry of a new folder is flushed once, so that what is in it is found after a power cut.
    private static string Prepare(string path)
    {
        if (!Directory.Exists(path))
        {
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(path);
            }
            else
            {
                Directory.CreateDirectory(path, OwnerOnly);
            }

            FolderFlush.Run(Path.GetDirectoryName(path)!);
        }

        return path;
    }
}
