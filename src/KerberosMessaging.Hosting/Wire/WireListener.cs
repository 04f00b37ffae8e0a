using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace KerberosMessaging.Hosting.Wire;

/// <summary>Where the wire port really listens, which matters when port 0 asked for any free one.</summary>
public sealed class WireListener
{
    private ListenOptions? _listen;

    /// <summary>The address and port, once the server has started.</summary>
    /// <exception cref="InvalidOperationException">Kestrel was not told to listen.</exception>
    public IPEndPoint EndPoint => _listen?.IPEndPoint ?? throw new InvalidOperationException("The wire port is not configured.");

    internal void Attach(ListenOptions listen) => _listen = listen;
}
