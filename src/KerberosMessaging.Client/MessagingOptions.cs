using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KerberosMessaging.Client;

/// <summary>How a <see cref="MessagingClient"/> behaves.</summary>
public sealed record MessagingOptions
{
    /// <summary>Path of the local store, one file for one client on one device; made when it is missing.</summary>
    public required string StorePath { get; init; }

    /// <summary>What this device is called in lists. At most 64 bytes of UTF-8.</summary>
    public string DeviceName { get; init; } = Environment.MachineName;

    /// <summary>How long an operation tries, across reconnects, before it gives up.</summary>
    public TimeSpan OperationTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>First wait before connecting again; it doubles up to <see cref="LongestReconnectDelay"/>.</summary>
    public TimeSpan FirstReconnectDelay { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Longest wait before connecting again.</summary>
    public TimeSpan LongestReconnectDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>What happens with devices of contacts that their account key does not vouch for.</summary>
    public UnlinkedDevicePolicy UnlinkedDevices { get; init; } = UnlinkedDevicePolicy.Refuse;

    /// <summary>The clock; it need not be right, only run at the right speed.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Where to log; never with names, keys or content.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;
}
