using KerberosMessaging.Client.Connections;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Client;

public sealed partial class MessagingClient
{
    /// <summary>
    /// Encrypts content and uploads it to this client's home server. Connections that are lost on the way are made again, and
    /// the upload goes on where it was. The encrypted form stands in a file beside the local store meanwhile.
    /// </summary>
    /// <param name="content">Read to its end, once. Its errors come through as they are.</param>
    /// <param name="timeToLive">How long the server keeps it, in whole seconds up to 30 days; null for as long as it keeps any.</param>
    /// <param name="cancellationToken">Ends the upload; what had come is removed from the server, at the latest after a day.</param>
    /// <returns>What a recipient needs to download it; the caller's to dispose of.</returns>
    /// <exception cref="MessagingException">It could not be uploaded.</exception>
    public Task<BlobReference> UploadBlobAsync(
        Stream content, TimeSpan? timeToLive = null, CancellationToken cancellationToken = default)
    {
        var seconds = timeToLive is { } time ? time.TotalSeconds : 0;
        if (timeToLive is not null && seconds is < 1 or > ProtocolLimits.TimeToLiveSeconds)
        {
            throw new ArgumentOutOfRangeException(nameof(timeToLive), "A blob is kept for a second to 30 days.");
        }

        return _blobs.UploadAsync(FindHomeAsync, content, (uint)seconds, cancellationToken);
    }

    /// <summary>
    /// Downloads a blob and decrypts it. Connections that are lost on the way are made again, and the download goes on where it
    /// was.
    /// </summary>
    /// <param name="reference">The reference, from whoever uploaded the blob.</param>
    /// <param name="destination">
    /// Gets the content in order. Whatever is written is verified, but only when this returns is it all: after an exception it
    /// is a beginning.
    /// </param>
    /// <param name="cancellationToken">Ends the download.</param>
    /// <exception cref="MessagingException">
    /// It could not be downloaded: <see cref="MessagingFailure.BlobNotFound"/> when it has expired or was deleted,
    /// <see cref="MessagingFailure.BlobDamaged"/> when it is not what was uploaded.
    /// </exception>
    public async Task DownloadBlobAsync(
        BlobReference reference, Stream destination, CancellationToken cancellationToken = default)
    {
        var server = await ServerOfAsync(reference, cancellationToken).ConfigureAwait(false);
        await _blobs.DownloadAsync(server, reference, destination, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Deletes a blob that this client uploaded, for everybody.</summary>
    /// <param name="reference">The reference.</param>
    /// <param name="cancellationToken">Ends the wait; the blob may have been deleted all the same.</param>
    /// <exception cref="MessagingException">
    /// It was not deleted; <see cref="MessagingFailure.BlobNotFound"/> when it is gone already, or somebody else's.
    /// </exception>
    public async Task DeleteBlobAsync(BlobReference reference, CancellationToken cancellationToken = default)
    {
        var server = await ServerOfAsync(reference, cancellationToken).ConfigureAwait(false);
        await Retry.RunAsync(
            _options, token => server.RequestAsync<Done>(new DeleteBlobRequest(reference.Blob), token), cancellationToken).ConfigureAwait(false);
    }

    private Task<MessageServerConnection> ServerOfAsync(BlobReference reference, CancellationToken cancellationToken) =>
        Retry.RunAsync(_options, token => _servers.GetAsync(reference.Server, token), cancellationToken);
}
