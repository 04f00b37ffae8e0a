namespace KerberosMessaging.EndToEndTests.Support;

/// <summary>What an admin can end.</summary>
public enum Ending
{
    Session,
    AllSessions,
    Device,
    Disabled,
    Deleted,
    PasswordReset,
}
