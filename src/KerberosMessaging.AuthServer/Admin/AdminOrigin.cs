using KerberosMessaging.AuthServer.Domain;

namespace KerberosMessaging.AuthServer.Admin;

internal static class AdminOrigin
{
    /// <summary>Who asks, as the audit log names it.</summary>
    public static Origin ToOrigin(this HttpContext context)
    {
        var address = context.Connection.RemoteIpAddress;
        return new Origin(
            $"admin {context.User.Identity?.Name ?? "unnamed"}",
            (address?.IsIPv4MappedToIPv6 == true ? address.MapToIPv4() : address)?.ToString() ?? "",
            context.TraceIdentifier);
    }
}
