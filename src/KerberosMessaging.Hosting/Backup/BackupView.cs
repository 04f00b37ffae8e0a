namespace KerberosMessaging.Hosting.Backup;

/// <summary>A backup in the server's backup folder.</summary>
/// <param name="Name" example="auth-server-20260504T081530Z.backup">The file's name in <c>Backup:Folder</c>.</param>
/// <param name="MadeAt" example="2026-05-04T08:15:30Z">When it was made.</param>
/// <param name="Bytes" example="1572864">How long the file is.</param>
/// <param name="IsChecked" example="true">Whether this server has read it as a whole since it started, and found it intact.</param>
internal sealed record BackupView(string Name, DateTimeOffset MadeAt, long Bytes, bool IsChecked);

/// <summary>The server's own backups.</summary>
/// <param name="EveryHours" example="24">Hours between two; null when none is scheduled.</param>
/// <param name="LastFailureAt" example="2026-05-03T08:15:30Z">When the last try failed, unless one has succeeded since; null otherwise.</param>
/// <param name="Items">Those in the folder, newest first.</param>
internal sealed record BackupsView(double? EveryHours, DateTimeOffset? LastFailureAt, IReadOnlyList<BackupView> Items);
