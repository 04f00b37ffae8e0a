using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>The answer to a submission.</summary>
/// <param name="Status">What became of it.</param>
/// <param name="AcceptedAt">When it was first accepted, for <see cref="SendStatus.Accepted"/>.</param>
/// <param name="Unknown">Devices that the recipient does not have, for <see cref="SendStatus.DevicesMismatched"/>.</param>
/// <param name="Missing">Devices without an envelope, for <see cref="SendStatus.DevicesMismatched"/>.</param>
internal sealed record SendResult(
    SendStatus Status,
    DateTimeOffset AcceptedAt,
    IReadOnlyList<DeviceId> Unknown,
    IReadOnlyList<DeviceId> Missing)
{
    public static SendResult Accepted(DateTimeOffset at) => new(SendStatus.Accepted, at, [], []);

    public static SendResult Mismatched(IReadOnlyList<DeviceId> unknown, IReadOnlyList<DeviceId> missing) =>
        new(SendStatus.DevicesMismatched, default, unknown, missing);

    public static SendResult Refused(SendStatus status) => new(status, default, [], []);
}
