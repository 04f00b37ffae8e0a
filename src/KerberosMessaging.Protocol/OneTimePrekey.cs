namespace KerberosMessaging.Protocol;

/// <summary>A public key of a device that one peer gets and nobody after it.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Id">The device's number for it, at least 1. Numbers of one kind only rise.</param>
/// <param name="Key">As many bytes as the kind says; opaque to the server.</param>
public sealed record OneTimePrekey(OneTimePrekeyKind Kind, uint Id, byte[] Key);
