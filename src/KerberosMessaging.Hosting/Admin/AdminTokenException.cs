namespace KerberosMessaging.Hosting.Admin;

/// <summary>
/// The admin token cannot be used as configured. The message is one line that names the file, meant to be shown to the
/// operator as it is, without a stack trace.
/// </summary>
public sealed class AdminTokenException : Exception
{
    /// <summary>An exception with a generic message.</summary>
    public AdminTokenException()
        : this("The admin token cannot be used.")
    {
    }

    /// <summary>An exception with the line to show to the operator.</summary>
    /// <param name="message">One line that names the file and what is wrong with it.</param>
    public AdminTokenException(string message)
        : base(message)
    {
    }

    /// <summary>An exception with the line to show to the operator, and its cause.</summary>
    /// <param name="message">One line that names the file and what is wrong with it.</param>
    /// <param name="innerException">What the file system answered.</param>
    public AdminTokenException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
