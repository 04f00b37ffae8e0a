using System.Security.Cryptography;
using KerberosMessaging.Client.Connections;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Client.Blobs;

/// <summary>
/// Uploads and downloads blobs. What is lost with a connection is asked for again on the next one, from where it stopped; only
/// while nothing moves at all does the time of an operation run out.
/// </summary>
internal sealed class BlobTransfer(MessagingOptions options)
{
    // Enough to hide a round trip, and little enough to come through in time on a slow line.
    private const int WritesAtOnce = 8;
    private const int ReadsAtOnce = 8;

    // A server that answers without taking anything would be asked for ever.
    private const int FruitlessRounds = 5;

    private static readonly TimeSpan WithdrawalTime = TimeSpan.FromSeconds(2);

    /// <summary>Seals content and uploads it.</summary>
    public async Task<BlobReference> UploadAsync(
        Func<CancellationToken, Task<MessageServerConnection>> findServer,
        Stream content,
        uint timeToLiveSeconds,
        CancellationToken cancellationToken)
    {
        var blob = new BlobId(new Guid(RandomNumberGenerator.GetBytes(16), bigEndian: true));
        var key = SecretBytes.Random(AuthenticatedCbc.KeySize);
        try
        {
            await using var file = await SealedFile.MakeAsync(options.StorePath, content, blob, key, cancellationToken).ConfigureAwait(false);
            var server = await Retry.RunAsync(options, findServer, cancellationToken).ConfigureAwait(false);
            try
            {
                await SendAsync(
                    server, file, new StartBlobRequest(blob, file.Size, file.Digest, timeToLiveSeconds), cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is not MessagingException { Failure: MessagingFailure.Unreachable })
            {
                await WithdrawAsync(server, blob).ConfigureAwait(false);
                throw;
            }

            return new BlobReference(server.Id, blob, file.ContentSize, key);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    /// <summary>Downloads a blob and opens it, chunk by chunk.</summary>
    public async Task DownloadAsync(
        MessageServerConnection server, BlobReference reference, Stream destination, CancellationToken cancellationToken)
    {
        using var cipher = new AuthenticatedCbc(reference.Key.Span);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var chunks = BlobFormat.CountChunks(reference.Size);
        var underWay = new Queue<Task<BlobData>>();
        var plaintext = new byte[BlobFormat.SealedChunkSize];
        try
        {
            var asked = 0L;
            for (var index = 0L; index < chunks; index++)
            {
                for (; asked < chunks && underWay.Count < ReadsAtOnce; asked++)
                {
                    underWay.Enqueue(ReadAsync(server, reference, asked, ending.Token));
                }

                var data = await underWay.Dequeue().ConfigureAwait(false);
                var place = BlobFormat.PlaceOf(reference.Blob, index, isLast: index == chunks - 1);
                if (!IsAsAsked(data, reference, index) || !cipher.TryOpen(data.Content.Span, place, plaintext, out var length))
                {
                    throw new MessagingException(MessagingFailure.BlobDamaged, "the message server gave other content than was uploaded");
                }

                await destination.WriteAsync(plaintext.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plaintext);
            await ending.CancelAsync().ConfigureAwait(false);
            await ((Task)Task.WhenAll(underWay)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // Nobody goes on with it, and until the server gives it up it takes of this client's quota.
    private async Task WithdrawAsync(MessageServerConnection server, BlobId blob)
    {
        try
        {
            await Retry.RunAsync(
                options with { OperationTimeout = WithdrawalTime },
                token => server.RequestAsync<Done>(new DeleteBlobRequest(blob), token),
                CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is MessagingException or ObjectDisposedException)
        {
            // The caller is told why the upload failed; the server gives it up by itself after a day.
        }
    }

    private Task<BlobData> ReadAsync(
        MessageServerConnection server, BlobReference reference, long index, CancellationToken cancellationToken)
    {
        var request = new ReadBlobRequest(
            reference.Blob, index * BlobFormat.SealedChunkSize, (uint)BlobFormat.SealedLength(reference.Size, index));
        return Retry.RunAsync(options, token => server.RequestAsync<BlobData>(request, token), cancellationToken);
    }

    private static bool IsAsAsked(BlobData data, BlobReference reference, long index) =>
        data.Size == BlobFormat.SealedSize(reference.Size)
        && data.Offset == index * BlobFormat.SealedChunkSize
        && data.Content.Length == BlobFormat.SealedLength(reference.Size, index);

    private async Task SendAsync(
        MessageServerConnection server, SealedFile file, StartBlobRequest start, CancellationToken cancellationToken)
    {
        BlobState? known = null;
        var (furthest, fruitless) = (-1L, 0);
        while (true)
        {
            var state = await RunAsync(async token =>
            {
                // Only what the present connection said counts: the next server may have less of it.
                var from = known ?? await server.RequestAsync<BlobState>(start, token).ConfigureAwait(false);
                known = null;
                return from.IsComplete || from.NextOffset >= file.Size
                    ? from
                    : known = await WriteAsync(server, file, start.Blob, from.NextOffset, token).ConfigureAwait(false);
            }).ConfigureAwait(false);
            if (state.IsComplete)
            {
                return;
            }

            fruitless = state.NextOffset > furthest ? 0 : fruitless + 1;
            furthest = Math.Max(furthest, state.NextOffset);
            if (fruitless == FruitlessRounds)
            {
                throw new MessagingException(MessagingFailure.Refused, "the message server does not go on with the upload");
            }
        }

        async Task<BlobState> RunAsync(Func<CancellationToken, Task<BlobState>> step)
        {
            try
            {
                return await Retry.RunAsync(options, step, cancellationToken).ConfigureAwait(false);
            }
            catch (MessagingException e) when (e.Failure == MessagingFailure.MailboxFull)
            {
                // On the wire it is one error: whose quota it is, the request says.
                throw new MessagingException(
                    MessagingFailure.BlobQuotaExceeded, "what this client uploaded takes all that the message server lets it have", e)
                {
                    RetryAfter = e.RetryAfter,
                };
            }
        }
    }

    // Several pieces at once: the server takes them in their order, and what it answered to the last one counts.
    private static async Task<BlobState> WriteAsync(
        MessageServerConnection server, SealedFile file, BlobId blob, long offset, CancellationToken cancellationToken)
    {
        var writes = new List<Task<BlobState>>();
        for (; writes.Count < WritesAtOnce && offset < file.Size; offset += ProtocolLimits.BlobChunkBytes)
        {
            var length = (int)Math.Min(ProtocolLimits.BlobChunkBytes, file.Size - offset);
            var piece = await file.ReadAsync(offset, length, cancellationToken).ConfigureAwait(false);
            writes.Add(server.RequestAsync<BlobState>(new WriteBlobRequest(blob, offset, piece), cancellationToken));
        }

        return (await Task.WhenAll(writes).ConfigureAwait(false))[^1];
    }
}
