namespace KerberosMessaging.MessageServer.Domain;

/// <summary>The keys that service tickets are opened with, once this server is enrolled.</summary>
internal sealed class TicketKeyRing : IDisposable
{
    private EnrolledServer? _current;

    public EnrolledServer? Current => Volatile.Read(ref _current);

    /// <summary>Sets the keys; they are owned from now on.</summary>
    public void Set(EnrolledServer enrolled) => Volatile.Write(ref _current, enrolled);

    public void Dispose() => _current?.ServiceKey.Dispose();
}
