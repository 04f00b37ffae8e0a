namespace KerberosMessaging.Hosting.Startup.Commands;

/// <summary>The command line names no command, or not as it is to be called; the message is one line for whoever typed it.</summary>
internal sealed class UsageException(string message) : Exception(message);
