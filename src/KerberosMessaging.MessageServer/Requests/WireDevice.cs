using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;

namespace KerberosMessaging.MessageServer.Requests;

/// <summary>A device at the other end of a connection.</summary>
internal sealed class WireDevice : DeviceConnection
{
    // Of a push beside its envelope: its fields, its frame and the objects that hold it.
    private const int Overhead = 256;

    private readonly WireConnection _connection;
    private readonly MessageCounts _counts;

    public WireDevice(WireConnection connection, Mailbox mailbox, DeliveryService services)
        : base(mailbox, services)
    {
        _connection = connection;
        _counts = services.Counts;
        Closing = connection.Closing;
    }

    public override SessionId Session => _connection.Session;

    protected override CancellationToken Closing { get; }

    public override bool TryPush(StoredEnvelope envelope)
    {
        var deliver = new Deliver(
            (ulong)envelope.Sequence,
            envelope.Message,
            envelope.Sender.Client,
            envelope.Sender.Device,
            envelope.SenderName,
            envelope.AcceptedAt,
            envelope.Body);
        if (!_connection.TryPush(deliver, envelope.Body.Length + Overhead))
        {
            return false;
        }

        _counts.Deliver();
        return true;
    }

    public override void TellPrekeysLow(PrekeyStock stock) => _connection.TryPush(new PrekeysLow(stock.X25519, stock.MlKem768), 0);

    public override void TakeOver() => _connection.Close(NoticeKind.TakenOver);

    protected override async ValueTask<bool> WaitForRoomAsync()
    {
        try
        {
            await _connection.WaitForRoomAsync(Closing);
            return true;
        }
        catch (Exception e) when (e is ChannelException or OperationCanceledException)
        {
            return false;
        }
    }
}
