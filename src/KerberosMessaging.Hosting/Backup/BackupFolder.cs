using System.Globalization;

namespace KerberosMessaging.Hosting.Backup;

/// <summary>The folder of a server's backups. Their names say whose they are and when they were made; other files are not touched.</summary>
/// <param name="folder">The folder.</param>
/// <param name="kind">Whose; see <see cref="ServerData.Kind"/>.</param>
internal sealed class BackupFolder(string folder, string kind)
{
    private const string Extension = ".backup";
    private const string TimeFormat = "yyyyMMdd'T'HHmmss'Z'";

    private readonly string _prefix = $"{kind.Replace(' ', '-')}-";

    /// <summary>Where a backup made at a moment goes.</summary>
    public string PathAt(DateTimeOffset madeAt) =>
        Path.Combine(folder, _prefix + madeAt.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture) + Extension);

    /// <summary>The backups that are there, newest first.</summary>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    public IReadOnlyList<BackupFile> List() => !Directory.Exists(folder)
        ? []
        : [.. new DirectoryInfo(folder).EnumerateFiles($"{_prefix}*{Extension}").Select(Parse).OfType<BackupFile>().OrderByDescending(static file => file.MadeAt)];

    /// <summary>Removes all but the newest.</summary>
    public void Prune(int keep)
    {
        foreach (var file in List().Skip(keep))
        {
            File.Delete(Path.Combine(folder, file.Name));
        }
    }

    private BackupFile? Parse(FileInfo file) => DateTimeOffset.TryParseExact(
        file.Name[_prefix.Length..^Extension.Length],
        TimeFormat,
        CultureInfo.InvariantCulture,
        DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
        out var madeAt)
        ? new BackupFile(file.Name, madeAt, file.Length)
        : null;
}

/// <summary>A backup in the folder.</summary>
internal sealed record BackupFile(string Name, DateTimeOffset MadeAt, long Bytes);
