using KerberosMessaging.Hosting.Telemetry;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;

namespace KerberosMessaging.MessageServer.Requests;

/// <summary>AP exchange: a service ticket opens the mailbox of the device that it names.</summary>
internal sealed class PresentTicketHandler(
    TicketGate gate,
    SignedInConnections signedIn,
    RevokedTickets revoked,
    MailboxDirectory mailboxes,
    DeliveryService deliveries,
    ServerTelemetry telemetry,
    TimeProvider time) : IRequestHandler<PresentTicketRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        PresentTicketRequest request, WireConnection connection, CancellationToken cancellationToken)
    {
        using var ticket = gate.TryOpen(request.Ticket, request.Authenticator, connection.ChannelBinding.Span);
        if (ticket is null)
        {
            return HandlerReply.Refuse(ProtocolError.TicketRefused);
        }

        using var exchange = TicketTrace.Start(telemetry.Source, TicketTrace.ApExchange, request.Ticket);
        var body = ticket.Body;
        var principal = new WirePrincipal(body.Session, body.Client, body.ClientName, body.Device, body.Times.EndsAt);
        if (connection.Principal is { } present)
        {
            if (!present.MayBeReplacedBy(principal) || !TrySignIn(connection, principal, body))
            {
                return HandlerReply.Refuse(ProtocolError.TicketRefused);
            }
        }
        else
        {
            var device = new DeviceAddress(body.Client, body.Device);
            var mailbox = await mailboxes.OpenAsync(device, body.ClientName, cancellationToken);
            if (!mailbox.IsDone)
            {
                return StoreReply.Busy;
            }

            if (mailbox.Result is not { } opened)
            {
                return HandlerReply.Refuse(ProtocolError.DeviceRefused);
            }

            var attached = new WireDevice(connection, opened, deliveries);
            if (!TrySignIn(connection, principal, body))
            {
                deliveries.Detach(attached);
                if (revoked.IsRemoved(device))
                {
                    // Removed while its mailbox was opened, which closed nothing then.
                    await mailboxes.CloseAsync(device).WaitAsync(cancellationToken);
                }

                return HandlerReply.Refuse(ProtocolError.TicketRefused);
            }

            connection.SetState<DeviceConnection>(attached);
            connection.OnClosed(() => deliveries.Detach(attached));
        }

        var proof = new ApReplyPart(ticket.Nonce, time.GetUtcNow(), body.Times.EndsAt).Seal(body.SessionKey);
        return HandlerReply.ThenMix(new TicketAccepted(proof), SessionKey.ForChannel(body.SessionKey, ticket.Nonce));
    }

    // The ticket may have been revoked since it was verified, even while the mailbox was opened.
    private bool TrySignIn(WireConnection connection, WirePrincipal principal, TicketBody body)
    {
        connection.SignIn(principal);
        if (signedIn.TryAdd(connection, TicketLogin.Of(body)))
        {
            return true;
        }

        connection.SignOut();
        return false;
    }
}
