using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Hosting.Telemetry;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>What the auth server does, in numbers. What is audited is counted by its audit row, once that is on disk.</summary>
internal sealed class AuthMetrics(ServerTelemetry telemetry, AuditMetrics audit)
{
    private readonly ClosedCounter _logins = new(telemetry.Meter, "kmsg.logins", "{login}", "Logins that succeeded.");

    private readonly ClosedCounter _failed = new(
        telemetry.Meter,
        "kmsg.logins.failed",
        "{login}",
        "Logins that failed or were refused, by reason.",
        "reason",
        "wrong_password",
        "disabled",
        "device_refused",
        "too_many");

    private readonly ClosedCounter _lockouts = new(
        telemetry.Meter, "kmsg.lockouts", "{lockout}", "Times that a name was locked for an address.");

    private readonly ClosedCounter _tickets = new(
        telemetry.Meter, "kmsg.tickets.issued", "{ticket}", "Tickets, by kind.", "kind", "ticket_granting", "service");

    /// <summary>An audit row is on disk.</summary>
    public void Audited(in AuditEvent happened)
    {
        audit.Added(happened);
        switch (happened.Kind)
        {
            case AuditKind.Login:
                _logins.Add();
                _tickets.Add((int)Ticket.Granting);
                break;
            case AuditKind.TicketRenewed:
                _tickets.Add((int)Ticket.Granting);
                break;
            case AuditKind.LoginFailed:
                _failed.Add((int)(happened.Detail switch
                {
                    "disabled" => Reason.Disabled,
                    "device refused" => Reason.DeviceRefused,
                    _ => Reason.WrongPassword,
                }));
                break;
            case AuditKind.LoginBlocked:
                _lockouts.Add();
                break;
        }
    }

    /// <summary>Somebody has to wait before the next try.</summary>
    public void LoginDelayed() => _failed.Add((int)Reason.TooMany);

    /// <summary>A ticket for a message server was made.</summary>
    public void ServiceTicketIssued() => _tickets.Add((int)Ticket.Service);

    // In the order of the tags' values.
    private enum Reason
    {
        WrongPassword,
        Disabled,
        DeviceRefused,
        TooMany,
    }

    private enum Ticket
    {
        Granting,
        Service,
    }
}
