using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>The keys that service tickets are opened with, once this server is enrolled.</summary>
internal sealed class TicketKeyRing : IDisposable
{
    private Held? _current;

    /// <summary>This server's id and its keys at this moment; null before enrolment.</summary>
    public Held? Current => Volatile.Read(ref _current);

    /// <summary>Sets the keys; they are owned from now on. Versions that are not among them open nothing any more.</summary>
    public void Set(ServerId server, TicketKeySet keys) => Volatile.Write(ref _current, new Held(server, keys));

    public void Dispose() => _current?.Keys.Dispose();

    internal sealed record Held(ServerId Server, TicketKeySet Keys);
}
