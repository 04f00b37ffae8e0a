using KerberosMessaging.Hosting.Audit;
using Microsoft.AspNetCore.Http;

namespace KerberosMessaging.Hosting.Admin;

/// <summary>Names admins for the audit log.</summary>
public static class AdminOrigin
{
    /// <summary>Who asks, as the audit log names it.</summary>
    /// <param name="context">The request.</param>
    public static Origin ToOrigin(this HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var address = context.Connection.RemoteIpAddress;
        return new Origin(
            $"admin {context.User.Identity?.Name ?? "unnamed"}",
            (address?.IsIPv4MappedToIPv6 == true ? address.MapToIPv4() : address)?.ToString() ?? "",
            context.TraceIdentifier);
    }
}
