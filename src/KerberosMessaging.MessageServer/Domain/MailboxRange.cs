namespace KerberosMessaging.MessageServer.Domain;

/// <summary>An inclusive range of sequence numbers of one mailbox.</summary>
internal readonly record struct MailboxRange(long First, long Last);
