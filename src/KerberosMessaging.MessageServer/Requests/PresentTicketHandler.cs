using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;
using KerberosMessaging.Transport;

namespace KerberosMessaging.MessageServer.Requests;

/// <summary>AP exchange: a service ticket opens the mailbox of the device that it names.</summary>
internal sealed class PresentTicketHandler(
    TicketGate gate,
    SignedInConnections signedIn,
    RevokedTickets revoked,
    OpenedMailboxes mailboxes,
    CommitQueue queue,
    DeliveryService deliveries,
    PrekeyAlerts alerts,
    TimeProvider time) : IRequestHandler<PresentTicketRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        PresentTicketRequest request, WireConnection connection, CancellationToken cancellationToken)
    {
        using var opened = gate.TryOpen(request.Ticket, request.Authenticator, connection.ChannelBinding.Span);
        if (opened is null)
        {
            return HandlerReply.Refuse(ProtocolError.TicketRefused);
        }

        var body = opened.Body;
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

            if (mailbox.Result is not { } id)
            {
                return HandlerReply.Refuse(ProtocolError.DeviceRefused);
            }

            if (!TrySignIn(connection, principal, body))
            {
                if (revoked.IsRemoved(device))
                {
                    // Removed while its mailbox was opened, which closed nothing then.
                    await queue.CommitAsync(new CloseMailboxWrite(device)).WaitAsync(cancellationToken);
                }

                return HandlerReply.Refuse(ProtocolError.TicketRefused);
            }

            Attach(connection, principal, id);
        }

        var proof = new ApReplyPart(opened.Nonce, time.GetUtcNow(), body.Times.EndsAt).Seal(body.SessionKey);
        return HandlerReply.ThenMix(new TicketAccepted(proof), SessionKey.ForChannel(body.SessionKey, opened.Nonce));
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

    private void Attach(WireConnection connection, WirePrincipal principal, long mailbox)
    {
        var closing = connection.Closing;
        var device = deliveries.Attach(
            connection.Session,
            new DeviceAddress(principal.Client, principal.Device),
            mailbox,
            envelope => TryPushAsync(connection, Show(envelope), closing),
            () => connection.Close(NoticeKind.TakenOver),
            closing);
        connection.SetState(device);
        connection.OnClosed(() => deliveries.Detach(device));
        alerts.Attach(
            connection.Session,
            stock => _ = TryPushAsync(connection, new PrekeysLow(stock.X25519, stock.MlKem768), closing).AsTask());
        connection.OnClosed(() => alerts.Detach(connection.Session));
    }

    private static Deliver Show(StoredEnvelope envelope) => new(
        (ulong)envelope.Sequence,
        envelope.Message,
        envelope.Sender.Client,
        envelope.Sender.Device,
        envelope.SenderName,
        envelope.AcceptedAt,
        envelope.Body);

    private static async ValueTask<bool> TryPushAsync(
        WireConnection connection, IWireMessage push, CancellationToken cancellationToken)
    {
        try
        {
            await connection.PushAsync(push, cancellationToken);
            return true;
        }
        catch (Exception e) when (e is ChannelException or OperationCanceledException)
        {
            return false;
        }
    }
}
