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
            if (store.Write(transaction => Prepare(transaction, home.Id, status)) is { } upload)
            {
                await home.RequestAsync<PrekeyStatus>(upload, cancellationToken).ConfigureAwait(false);
                store.Write(transaction =>
                {
                    transaction.SetSetting(PublishedSetting, Published(home.Id, transaction));
                    transaction.RemoveSettings(DeviceKeys.RestoredSetting);
                });
            }
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

    private UploadPrekeysRequest? Prepare(StoreTransaction transaction, ServerId server, PrekeyStatus status)
    {
        var now = options.Time.GetUtcNow();
        using var prekeys = DeviceKeys.Prekeys(transaction);
        var newest = Math.Max(status.X25519.NewestId, status.MlKem768.NewestId);
        using var restored = transaction.GetSetting(DeviceKeys.RestoredSetting);
        var isPutBack = restored is not null || newest > prekeys.NewestOneTimeId;
        if (isPutBack)
        {
            // The server knows of keys that this store does not: it is an earlier state of itself. Its one-time prekeys may be used
            // up, and its ratchets behind those of the peers: to go on with them would encrypt twice with one key. The mark stays until the
            // server has dropped the old keys.
            Log.PutBack(_logger);
            prekeys.RestartOneTime(newest);
            prekeys.Rotate(self.Identity, now);
            transaction.RemoveSessions();
            transaction.SetSetting(DeviceKeys.RestoredSetting, [1]);
        }
        else if (prekeys.IsRotationDue(now))
        {
            prekeys.Rotate(self.Identity, now);
        }

        var waitingX25519 = prekeys.X25519Above(status.X25519.NewestId).Count;
        var waitingMlKem768 = prekeys.MlKem768Above(status.MlKem768.NewestId, self.Identity).Count;
        var (leftX25519, leftMlKem768) = isPutBack ? (0, 0) : (status.X25519.Left, status.MlKem768.Left);
        prekeys.AddOneTime(
            Math.Max(0, OneTimePrekeys - leftX25519 - waitingX25519),
            Math.Max(0, OneTimePrekeys - leftMlKem768 - waitingMlKem768));
        DeviceKeys.SavePrekeys(transaction, prekeys);

        using var published = transaction.GetSetting(PublishedSetting);
        var isPublished = published is not null && published.Span.SequenceEqual(Published(server, transaction));
        List<OneTimePrekey> keys =
        [
            .. Upload(OneTimePrekeyKind.X25519, prekeys.X25519Above(status.X25519.NewestId)),
            .. Upload(OneTimePrekeyKind.MlKem768, prekeys.MlKem768Above(status.MlKem768.NewestId, self.Identity)),
        ];
        return isPublished && keys.Count == 0
            ? null
            : new UploadPrekeysRequest(isPublished ? [] : prekeys.Bundle.ToBytes(), isPutBack ? newest + 1 : 0, keys);
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
