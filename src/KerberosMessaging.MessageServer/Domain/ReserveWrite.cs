namespace KerberosMessaging.MessageServer.Domain;

/// <summary>
/// Reserves sequence numbers of a mailbox. After a restart numbering goes on behind the reservation, so that a number that was
/// pushed and never written is not used for another message.
/// </summary>
/// <param name="mailbox">The mailbox.</param>
/// <param name="through">The last number that is reserved; all before it are too.</param>
internal sealed class ReserveWrite(Mailbox mailbox, long through) : StoreWrite
{
    public long Mailbox => mailbox.Id;

    public long Through { get; set; } = through;

    public override void Complete(bool isCommitted) => mailbox.EndReservation(Through, isCommitted);
}
