using KerberosMessaging.Protocol;

namespace KerberosMessaging.Transport;

/// <summary>Limits and deadlines of a channel, the same for both roles.</summary>
public sealed record ChannelOptions
{
    /// <summary>Largest payload accepted at first, in bytes.</summary>
    public int PayloadLimit { get; init; } = ProtocolLimits.PayloadBeforeAuthentication;

    /// <summary>How long the handshake may take: long enough for a slow link, short enough that silent peers cost little.</summary>
    public TimeSpan HandshakeDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long one frame may take from its first byte: 1 MiB in 30 s is 35 KB/s.</summary>
    public TimeSpan FrameDeadline { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// After so much silence the requesting end asks the server for a sign of life. Long enough to cost nothing, short
    /// enough for the tables of most address translators, which forget an idle connection after some minutes.
    /// </summary>
    public TimeSpan PingAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>After so much silence, and at most a sixth of <see cref="PingAfter"/> more, the requesting end gives the server up.</summary>
    public TimeSpan DeadAfter { get; init; } = TimeSpan.FromSeconds(75);

    /// <summary>The clock for deadlines and for the time that a server states.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Records after which a direction re-keys. Part of the protocol; tests alone set another value.</summary>
    internal int RecordsPerKey { get; init; } = RecordProtector.RecordsPerKey;

    /// <summary>Sealed bytes after which a direction re-keys. Part of the protocol; tests alone set another value.</summary>
    internal long BytesPerKey { get; init; } = RecordProtector.BytesPerKey;
}
