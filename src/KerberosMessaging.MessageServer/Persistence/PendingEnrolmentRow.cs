namespace KerberosMessaging.MessageServer.Persistence;

/// <summary>
/// An enrolment that was begun: one row, or none. It is stored before the auth server is asked, because a repeat with the
/// same key is answered again, and one with another key is refused.
/// </summary>
internal sealed class PendingEnrolmentRow
{
    /// <summary>The one row's id.</summary>
    public const int OnlyId = 1;

    public int Id { get; set; } = OnlyId;

    /// <summary>SHA-256 of the token that the key goes with.</summary>
    public byte[] TokenHash { get; set; } = [];

    /// <summary>Seed of the key that is to sign handshakes, sealed with Data Protection.</summary>
    public byte[] SealedSigningSeed { get; set; } = [];
}
