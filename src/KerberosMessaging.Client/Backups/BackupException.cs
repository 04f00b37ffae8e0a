namespace KerberosMessaging.Client.Backups;

/// <summary>What is wrong with a backup; it becomes a <see cref="MessagingException"/> where the file's name is known.</summary>
internal sealed class BackupException(string message, Exception? innerException = null) : Exception(message, innerException);
