namespace KerberosMessaging.AuthServer.Domain.Names;

/// <summary>What a character of a name is.</summary>
internal enum CharacterKind : byte
{
    Letter,
    Mark,
    Digit,
}
