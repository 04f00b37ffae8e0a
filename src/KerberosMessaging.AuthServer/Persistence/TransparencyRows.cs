using KerberosMessaging.AuthServer.Domain.Transparency;

namespace KerberosMessaging.AuthServer.Persistence;

/// <summary>An entry of the transparency log. Never changed, never removed.</summary>
internal sealed class TransparencyEntryRow
{
    /// <summary>Its place: 0, 1, 2 and so on, without gaps.</summary>
    public long Index { get; init; }

    public DateTimeOffset At { get; init; }

    public TransparencyKind Kind { get; init; }

    public Guid ClientId { get; init; }

    public Guid DeviceId { get; init; }

    /// <summary>The serial of the device's certificate.</summary>
    public long Serial { get; init; }

    /// <summary>SHA-256 of the certificate or the link; zeros for a removal.</summary>
    public required byte[] Statement { get; init; }
}

/// <summary>The hash of a full subtree: of 2^Level entries from Index × 2^Level on.</summary>
internal sealed class TransparencyNodeRow
{
    public int Level { get; init; }

    public long Index { get; init; }

    public required byte[] Hash { get; init; }
}

/// <summary>What the realm signed of the log when it had so many entries.</summary>
internal sealed class TransparencyHeadRow
{
    public long Size { get; init; }

    public DateTimeOffset At { get; init; }

    public required byte[] Root { get; init; }

    public required byte[] Signature { get; init; }
}
