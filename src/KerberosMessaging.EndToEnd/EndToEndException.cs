namespace KerberosMessaging.EndToEnd;

/// <summary>
/// An end-to-end operation that cannot be carried out: a prekey bundle that its owner did not sign, a key no agreement
/// is possible with, or a stored state that is not one of ours. Messages that merely fail to decrypt are not
/// exceptions but a <see cref="DecryptResult"/>.
/// </summary>
public sealed class EndToEndException : Exception
{
    /// <summary>Creates the exception without a message.</summary>
    public EndToEndException()
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is wrong. Never holds key material.</param>
    public EndToEndException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with its cause.</summary>
    /// <param name="message">What is wrong. Never holds key material.</param>
    /// <param name="innerException">The cause.</param>
    public EndToEndException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
