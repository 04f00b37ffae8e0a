namespace KerberosMessaging.Hosting.Backup;

/// <summary>What is wrong with a backup; it becomes a line for the operator where the file's name is known.</summary>
internal sealed class BackupException(string message, Exception? innerException = null) : Exception(message, innerException);
