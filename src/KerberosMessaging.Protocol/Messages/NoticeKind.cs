namespace KerberosMessaging.Protocol.Messages;

/// <summary>What a <see cref="Notice"/> tells.</summary>
public enum NoticeKind : ushort
{
    /// <summary>A newer connection of the same device took over; this one ends.</summary>
    TakenOver = 1,

    /// <summary>The session behind this connection ended; this connection ends.</summary>
    SessionEnded = 2,

    /// <summary>The server stops, or an administrator ended the connection; connect again after the stated time.</summary>
    ShuttingDown = 3,
}
