using System.Security.Cryptography;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Client.Blobs;

/// <summary>
/// The sealed form of a blob while it is uploaded. It is a file because its digest is announced before its first byte, and
/// because an upload that goes on must send the same bytes again, which sealing anew would not give. It stands beside the local
/// store, holds nothing that is not sealed, and goes with this object or, at the latest, with the process.
/// </summary>
internal sealed class SealedFile : IAsyncDisposable
{
    private readonly FileStream _file;

    private SealedFile(FileStream file) => _file = file;

    /// <summary>Bytes of the sealed content.</summary>
    public long Size { get; private set; }

    /// <summary>Bytes of the content itself.</summary>
    public long ContentSize { get; private set; }

    /// <summary>SHA-256 of the sealed content.</summary>
    public byte[] Digest { get; private set; } = [];

    /// <summary>Seals content up to its end.</summary>
    /// <exception cref="MessagingException">The file cannot be written.</exception>
    public static async Task<SealedFile> MakeAsync(
        string storePath, Stream content, BlobId blob, SecretBytes key, CancellationToken cancellationToken)
    {
        var file = new SealedFile(Local(storePath, () => Open($"{storePath}.{Guid.NewGuid():N}.upload")));
        try
        {
            await file.SealAsync(storePath, content, blob, key, cancellationToken).ConfigureAwait(false);
            return file;
        }
        catch
        {
            await file.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Reads a part of it.</summary>
    public async Task<byte[]> ReadAsync(long offset, int length, CancellationToken cancellationToken)
    {
        var bytes = new byte[length];
        _file.Position = offset;
        await _file.ReadExactlyAsync(bytes, cancellationToken).ConfigureAwait(false);
        return bytes;
    }

    public ValueTask DisposeAsync() => _file.DisposeAsync();

    private static FileStream Open(string path)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.Delete,
            Options = FileOptions.Asynchronous | FileOptions.DeleteOnClose,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        var file = new FileStream(path, options);
        if (!OperatingSystem.IsWindows())
        {
            // Without a name it goes with the process even if that is killed.
            File.Delete(path);
        }

        return file;
    }

    private static T Local<T>(string storePath, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw NoRoom(storePath, e);
        }
    }

    private static MessagingException NoRoom(string storePath, Exception e) => new(
        MessagingFailure.StoreUnusable, $"beside the local store '{storePath}' there is no room for the encrypted copy: {e.Message}", e);

    private async Task SealAsync(
        string storePath, Stream content, BlobId blob, SecretBytes key, CancellationToken cancellationToken)
    {
        using var cipher = new AuthenticatedCbc(key.Span);
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var (chunk, next) = (new byte[BlobFormat.ChunkSize], new byte[BlobFormat.ChunkSize]);
        var sealedChunk = new byte[BlobFormat.SealedChunkSize];
        try
        {
            // One chunk ahead: the last one is sealed as the last.
            var length = await FillAsync(chunk).ConfigureAwait(false);
            for (var index = 0L; ; index++)
            {
                var ahead = length < chunk.Length ? 0 : await FillAsync(next).ConfigureAwait(false);
                var sealedBytes = sealedChunk.AsMemory(0, AuthenticatedCbc.SealedLength(length));
                cipher.Seal(chunk.AsSpan(0, length), BlobFormat.PlaceOf(blob, index, isLast: ahead == 0), sealedBytes.Span);
                digest.AppendData(sealedBytes.Span);
                await WriteAsync(sealedBytes).ConfigureAwait(false);
                Size += sealedBytes.Length;
                ContentSize += length;
                if (ahead == 0)
                {
                    break;
                }

                (chunk, next, length) = (next, chunk, ahead);
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(chunk);
            CryptographicOperations.ZeroMemory(next);
        }

        Digest = digest.GetHashAndReset();

        async ValueTask<int> FillAsync(byte[] buffer) =>
            await content.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);

        async Task WriteAsync(ReadOnlyMemory<byte> bytes)
        {
            try
            {
                await _file.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
            }
            catch (IOException e)
            {
                throw NoRoom(storePath, e);
            }
        }
    }
}
