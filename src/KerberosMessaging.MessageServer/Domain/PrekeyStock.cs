using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>What there is of a device's one-time prekeys, of each kind.</summary>
internal readonly record struct PrekeyStock(OneTimePrekeyStock X25519, OneTimePrekeyStock MlKem768)
{
    // A device uploads a hundred: this leaves it time to come back before the last ones go.
    private const int LowMark = 20;

    /// <summary>Whether the device should bring more.</summary>
    public bool IsLow => X25519.Left < LowMark || MlKem768.Left < LowMark;
}
