using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Hosting.Wire;

/// <summary>Who this server is to its peers. A server sets it once its keys are loaded; until then it accepts no handshake.</summary>
public sealed class ServerIdentity : IDisposable
{
    private Identity? _current;

    /// <summary>Whether the identity is set.</summary>
    public bool IsSet => Volatile.Read(ref _current) is not null;

    /// <summary>Sets the identity.</summary>
    /// <param name="server">The server's id.</param>
    /// <param name="signingKey">The key that signs its handshakes; owned from now on.</param>
    public void Set(ServerId server, Ed25519PrivateKey signingKey) => Volatile.Write(ref _current, new Identity(server, signingKey));

    /// <inheritdoc />
    public void Dispose() => _current?.SigningKey.Dispose();

    internal bool TryGet(out ServerId server, out Ed25519PrivateKey signingKey)
    {
        var current = Volatile.Read(ref _current);
        server = current?.Server ?? default;
        signingKey = current?.SigningKey!;
        return current is not null;
    }

    private sealed record Identity(ServerId Server, Ed25519PrivateKey SigningKey);
}
