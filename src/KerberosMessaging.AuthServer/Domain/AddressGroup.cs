using System.Net;
using KerberosMessaging.Hosting.Wire.Limits;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>Addresses that one party has at its command count as one, as they do for the limits of the wire port.</summary>
internal static class AddressGroup
{
    /// <summary>The group of an address; what is no IP address is its own.</summary>
    public static string Of(string address) => IPAddress.TryParse(address, out var parsed) ? AddressBlock.OfAddress(parsed).ToString() : address;
}
