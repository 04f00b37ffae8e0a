namespace KerberosMessaging.MessageServer.Enrolment;

/// <summary>An enrolment did not succeed.</summary>
internal sealed class EnrolmentException(string message, bool needsOperator, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether somebody has to do something before another try can succeed.</summary>
    public bool NeedsOperator => needsOperator;
}
