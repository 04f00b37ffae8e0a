namespace KerberosMessaging.AuthServer.Persistence;

/// <summary>Failed logins that one address made under one name, or, with an empty name, under any.</summary>
internal sealed class LoginFailureRow
{
    /// <summary>What admins call it: the name's hash would let them try what was typed.</summary>
    public Guid Id { get; init; }

    /// <summary>SHA-256 of the name as compared: what people type there by mistake may be a password. Empty for all names together.</summary>
    public required byte[] NameHash { get; init; }

    /// <summary>An IPv4 address, or the /64 of an IPv6 address.</summary>
    public required string Address { get; init; }

    /// <summary>The client of that name; null while there is none.</summary>
    public Guid? ClientId { get; set; }

    public int Failures { get; set; }

    public DateTimeOffset FirstAt { get; init; }

    public DateTimeOffset LastAt { get; set; }

    /// <summary>Until when no further try is taken.</summary>
    public DateTimeOffset BlockedUntil { get; set; }
}
