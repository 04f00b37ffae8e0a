using KerberosMessaging.AuthServer.Domain;

namespace KerberosMessaging.AuthServer.Admin;

internal static class AdminOrigin
{
    /// <summary>Who asks, as the audit log names it.</summary>
    public static Origin ToOrigin(this HttpContext context) => new(
        $"admin {context.User.Identity?.Name ?? "unnamed"}",
        context.Connection.RemoteIpAddress?.ToString() ?? "",
        context.TraceIdentifier);
}
