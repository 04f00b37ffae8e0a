namespace KerberosMessaging.Protocol.Messages;

/// <summary>What a <see cref="Revocation"/> refuses.</summary>
public enum RevocationKind : byte
{
    /// <summary>The tickets of one session.</summary>
    Session = 1,

    /// <summary>The tickets of one device of a client, authenticated at or before the stated time.</summary>
    Device = 2,

    /// <summary>The tickets of a client, authenticated at or before the stated time.</summary>
    Client = 3,
}
