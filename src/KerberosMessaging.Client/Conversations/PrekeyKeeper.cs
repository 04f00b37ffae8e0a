using System.Buffers.Binary;
using KerberosMessaging.Client.Connections;
using KerberosMessaging.Client.Store;
using KerberosMessaging.EndToEnd;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using Microsoft.Extensions.Logging;

namespace KerberosMessaging.Client.Conversations;

/// <summary>
/// Keeps this device's prekeys at its message server: a signed bundle that is replaced weekly, and a hundred one-time prekeys of
/// each kind. Private keys are in the store before their public halves leave.
/// </summary>
internal sealed partial class PrekeyKeeper(LocalStore store, ThisDevice self, MessagingOptions options) : IDisposable
{
    /// <summary>One-time prekeys of each kind that the server is to hold.</summary>
    public const int OneTimePrekeys = 100;

    // Each look adds a key; from here on the server drops those it has, well before it would take no more.
    private const int FullStock = 150;

    private const string PublishedSetting = "prekeys published at";

    private readonly ILogger _logger = options.LoggerFactory.CreateLogger<PrekeyKeeper>();
    private readonly SemaphoreSlim _running = new(1);

    /// <summary>Whether the signed prekeys have served their time.</summary>
    public bool IsDue => store.Read(transaction =>
    {
        using var prekeys = DeviceKeys.Prekeys(transaction);
        return prekeys.IsRotationDue(options.Time.GetUtcNow());
    });

    /// <summary>Compares what the server has with what it should have, and brings what is missing.</summary>
    public async Task RunAsync(IMessageServer home, CancellationToken cancellationToken)
    {
        await _running.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var status = await home.RequestAsync<PrekeyStatus>(new PrekeyStatusRequest(), cancellationToken).ConfigureAwait(false);
            var upload = store.Write(transaction => Prepare(transaction, home.Id, status));
            await home.RequestAsync<PrekeyStatus>(upload, cancellationToken).ConfigureAwait(false);
            store.Write(transaction =>
            {
                transaction.SetSetting(PublishedSetting, Published(home.Id, transaction));
                transaction.RemoveSettings(DeviceKeys.RestoredSetting);
            });
        }
        finally
        {
            _running.Release();
        }
    }

    public void Dispose() => _running.Dispose();

    private static byte[] Published(ServerId server, StoreTransaction transaction)
    {
        using var prekeys = DeviceKeys.Prekeys(transaction);
        return [.. server.Value.ToByteArray(bigEndian: true), .. BitConverter.GetBytes(prekeys.Bundle.SignedPrekeyId)];
    }

    private UploadPrekeysRequest Prepare(StoreTransaction transaction, ServerId server, PrekeyStatus status)
    {
        var now = options.Time.GetUtcNow();
        using var prekeys = DeviceKeys.Prekeys(transaction);
        var newest = Math.Max(status.X25519.NewestId, status.MlKem768.NewestId);
        if (newest >= uint.MaxValue - ProtocolLimits.OneTimePrekeysPerUpload)
        {
            throw new MessagingException(MessagingFailure.UntrustedServer, "the message server says of prekeys what cannot be");
        }

        var dropBelow = FindPutBack(transaction, prekeys, newest, now);
        if (dropBelow == 0 && prekeys.IsRotationDue(now))
        {
            prekeys.Rotate(self.Identity, now);
        }

        if (dropBelow == 0 && status.X25519.Left >= FullStock)
        {
            // The private halves stay here, for sessions that are being started with them.
            dropBelow = Math.Max(newest, prekeys.NewestOneTimeId) + 1;
        }

        // A server that lacks ids it was given has been put back to an earlier state, and has an earlier bundle, too.
        var isServerPutBack = newest < prekeys.NewestOneTimeId;

        // Every time at least one key more, so that a store that is put back to before this is found out by it.
        var isDropping = newest < dropBelow;
        var x25519 = Math.Max(status.X25519.NewestId, dropBelow == 0 ? 0 : dropBelow - 1);
        var mlKem768 = Math.Max(status.MlKem768.NewestId, dropBelow == 0 ? 0 : dropBelow - 1);
        var waiting = prekeys.X25519Above(x25519).Count;
        prekeys.AddOneTime(
            Math.Max(waiting == 0 ? 1 : 0, OneTimePrekeys - (isDropping ? 0 : status.X25519.Left) - waiting),
            Math.Max(0, OneTimePrekeys - (isDropping ? 0 : status.MlKem768.Left) - prekeys.MlKem768Above(mlKem768, self.Identity).Count));
        DeviceKeys.SavePrekeys(transaction, prekeys);

        using var published = transaction.GetSetting(PublishedSetting);
        var isPublished = !isServerPutBack && published is not null && published.Span.SequenceEqual(Published(server, transaction));
        return new UploadPrekeysRequest(
            isPublished ? [] : prekeys.Bundle.ToBytes(),
            isDropping ? dropBelow : 0,
            [
                .. Upload(OneTimePrekeyKind.X25519, prekeys.X25519Above(x25519)),
                .. Upload(OneTimePrekeyKind.MlKem768, prekeys.MlKem768Above(mlKem768, self.Identity)),
            ]);
    }

    /// <summary>
    /// Finds out whether the store is an earlier state of itself, because it was restored or the server knows of keys that it does not know. Its
    /// one-time prekeys may be used up, and its ratchets behind those of the peers: to go on with them would encrypt twice with one key.
    /// </summary>
    /// <returns>The id below which the server is to drop one-time prekeys; 0 where nothing of that is so.</returns>
    private uint FindPutBack(StoreTransaction transaction, DevicePrekeys prekeys, uint newest, DateTimeOffset now)
    {
        using var mark = transaction.GetSetting(DeviceKeys.RestoredSetting);
        if (newest <= prekeys.NewestOneTimeId && (mark is null || mark.Length == sizeof(uint)))
        {
            // Done before, but the server is not known to have heard of it.
            return mark is null ? 0 : BinaryPrimitives.ReadUInt32BigEndian(mark.Span);
        }

        Log.PutBack(_logger);
        prekeys.RestartOneTime(newest);
        prekeys.Rotate(self.Identity, now);
        transaction.RemoveSessions();
        var done = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(done, prekeys.NewestOneTimeId + 1);
        transaction.SetSetting(DeviceKeys.RestoredSetting, done);
        return prekeys.NewestOneTimeId + 1;
    }

    // Never more than the server keeps. What is above that would be keys of uploads that failed again and again.
    private static IEnumerable<OneTimePrekey> Upload(OneTimePrekeyKind kind, IReadOnlyList<OneTimePublicPrekey> keys) =>
        keys.Take(OneTimePrekeys).Select(key => new OneTimePrekey(kind, key.Id, key.Key.ToArray()));

    private static partial class Log
    {
        [LoggerMessage(4301, LogLevel.Warning, "This device was put back to an earlier state: it starts with new prekeys and sessions.")]
        public static partial void PutBack(ILogger logger);
    }
}
