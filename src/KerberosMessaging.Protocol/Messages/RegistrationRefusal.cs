namespace KerberosMessaging.Protocol.Messages;

/// <summary>Why a registration was refused.</summary>
public enum RegistrationRefusal : ushort
{
    /// <summary>Another client has the name, or one that is the same after normalisation.</summary>
    NameTaken = 1,

    /// <summary>The name breaks the realm's rules for names.</summary>
    NameInvalid = 2,

    /// <summary>The realm takes no registrations.</summary>
    Closed = 3,

    /// <summary>The stretching function is not the one that the realm asked for.</summary>
    StretchingRefused = 4,

    /// <summary>The record is not well-formed, or no first step came before on this connection.</summary>
    RecordRefused = 5,

    /// <summary>The realm asks for a one-time token, and this one is missing, unknown, used, expired or made for another name.</summary>
    InviteRefused = 6,
}
