namespace KerberosMessaging.MessageServer.Domain;

/// <summary>A mailbox as it is on disk.</summary>
/// <param name="Id">Its number, never given to another.</param>
/// <param name="Device">The device that owns it.</param>
/// <param name="ReservedThrough">No sequence number above this was ever given.</param>
/// <param name="Count">How many envelopes wait in it.</param>
/// <param name="Bytes">How long they are together.</param>
internal sealed record MailboxState(long Id, DeviceAddress Device, long ReservedThrough, int Count, long Bytes);
