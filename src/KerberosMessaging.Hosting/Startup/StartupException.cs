namespace KerberosMessaging.Hosting.Startup;

/// <summary>A server cannot start for a reason that its operator can mend; the message is one line and says what to do.</summary>
public sealed class StartupException : Exception
{
    /// <summary>Makes an exception.</summary>
    /// <param name="message">One line for the operator.</param>
    /// <param name="inner">The cause, where there is one.</param>
    public StartupException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
