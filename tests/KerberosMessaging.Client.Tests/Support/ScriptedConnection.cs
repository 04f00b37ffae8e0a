using System.Diagnostics.CodeAnalysis;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Transport;

namespace KerberosMessaging.Client.Tests.Support;

/// <summary>One client's connection to a <see cref="ScriptedServer"/>.</summary>
internal sealed class ScriptedConnection(SecureChannel channel)
{
    private readonly List<IWireMessage> _pushes = [];
    private SecretBytes? _mixKey;
    private (byte[] Ke3, SecretBytes? Key) _proven = ([], null);

    public SecureChannel Channel => channel;

    public ReadOnlySpan<byte> Binding => channel.ChannelBinding.Span;

    /// <summary>A login between its steps.</summary>
    public OpaqueServerLogin? Login { get; set; }

    /// <summary>Whose login that is, and later who presented a ticket.</summary>
    public ScriptedClient? Client { get; set; }

    /// <summary>From which device the ticket was.</summary>
    public DeviceId Device { get; set; }

    /// <summary>Whether KE3 proves the password; the same one may be shown again.</summary>
    public bool TryProve(byte[] ke3, [NotNullWhen(true)] out SecretBytes? sessionKey)
    {
        if (Login is not null && Login.TryFinish(ke3, out var proven))
        {
            _proven = (ke3, proven);
        }

        sessionKey = _proven.Ke3.AsSpan().SequenceEqual(ke3) ? _proven.Key : null;
        return sessionKey is not null;
    }

    /// <summary>Mixes a key into the channel once the present request is answered.</summary>
    public void MixAfterwards(SecretBytes key) => _mixKey = key;

    /// <summary>Pushes a message once the present request is answered.</summary>
    public void PushAfterwards(IWireMessage message) => _pushes.Add(message);

    public SecretBytes? TakeMixKey()
    {
        var key = _mixKey;
        _mixKey = null;
        return key;
    }

    public IWireMessage[] TakePushes()
    {
        IWireMessage[] pushes = [.. _pushes];
        _pushes.Clear();
        return pushes;
    }
}
