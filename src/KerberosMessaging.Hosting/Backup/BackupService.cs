using System.Collections.Concurrent;
using System.Globalization;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Hosting.Startup;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Backup;

/// <summary>Makes this server's own backups, one after the other, and removes old ones.</summary>
internal sealed partial class BackupService(
    ServerData data,
    IOptions<DataOptions> dataOptions,
    IOptions<BackupOptions> options,
    IAuditWriter audit,
    TimeProvider time,
    ILogger<BackupService> logger) : IBackupStatus, IDisposable
{
    private readonly SemaphoreSlim _turn = new(1);
    private readonly ConcurrentDictionary<string, bool> _checked = new();
    private readonly BackupFolder _folder = new(Path.GetFullPath(options.Value.IsOn ? options.Value.Folder : "."), data.Kind);
    private long _failedAtMs = long.MinValue;

    /// <summary>Whether there is a folder to put them in.</summary>
    public bool IsOn => options.Value.IsOn;

    public TimeSpan? Interval => options.Value.IsScheduled ? TimeSpan.FromHours(options.Value.EveryHours) : null;

    public DateTimeOffset? LastSuccess => IsOn && _folder.List() is [var newest, ..] ? newest.MadeAt : null;

    public DateTimeOffset? LastFailure =>
        Volatile.Read(ref _failedAtMs) is var at && at != long.MinValue ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null;

    /// <summary>The backups that are there, newest first.</summary>
    public IReadOnlyList<BackupFile> List() => IsOn ? _folder.List() : [];

    /// <summary>Whether a backup was read as a whole since the server started, and was intact.</summary>
    public bool IsChecked(BackupFile file) => _checked.ContainsKey(file.Name);

    /// <summary>Makes a backup, and reads it back before it counts.</summary>
    /// <param name="origin">Who asks.</param>
    /// <param name="cancellationToken">Ends it; nothing is left then.</param>
    /// <exception cref="StartupException">It cannot be made.</exception>
    public async Task MakeAsync(Origin origin, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            var path = await FindPathAsync(cancellationToken);

            // A thread of its own: it waits for the disk.
            var (name, manifest) = await Task.Factory.StartNew(
                () => Make(path, cancellationToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            await audit.WriteAsync(
                new AuditEvent(
                    AuditKind.BackupMade,
                    origin,
                    $"backup {name}",
                    string.Create(CultureInfo.InvariantCulture, $"{manifest.Parts.Count} files, {manifest.Parts.Sum(static part => part.Bytes)} bytes")),
                CancellationToken.None);
            _folder.Prune(options.Value.Keep);
            Volatile.Write(ref _failedAtMs, long.MinValue);
            Log.Made(logger, name);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            Volatile.Write(ref _failedAtMs, time.GetUtcNow().ToUnixTimeMilliseconds());
            throw;
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    // Names are times to the second. The second backup within one waits for the next, so that the order of the names stays that of the backups.
    private async Task<string> FindPathAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var path = _folder.PathAt(time.GetUtcNow());
            if (!Path.Exists(path))
            {
                return path;
            }

            await Task.Delay(TimeSpan.FromSeconds(1), time, cancellationToken);
        }
    }

    private (string Name, BackupManifest Manifest) Make(string path, CancellationToken cancellationToken)
    {
        PrivateFile.CreateFolder(Path.GetFullPath(options.Value.Folder));
        using var key = options.Value.IsEncrypted ? BackupKey.Read(options.Value.KeyFile!) : null;
        BackupMaker.Make(data, dataOptions.Value, path, key, withMasterKey: false, time, cancellationToken);
        var manifest = BackupArchive.Read(path, key, take: null, cancellationToken);
        _checked[Path.GetFileName(path)] = true;
        return (Path.GetFileName(path), manifest);
    }

    private static partial class Log
    {
        [LoggerMessage(9201, LogLevel.Information, "The backup '{Name}' was made.")]
        public static partial void Made(ILogger logger, string name);
    }
}
