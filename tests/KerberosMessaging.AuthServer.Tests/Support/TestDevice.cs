using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;

namespace KerberosMessaging.AuthServer.Tests.Support;

/// <summary>A device with its identity keys.</summary>
internal sealed class TestDevice(DeviceId? id = null)
{
    private readonly Ed25519PrivateKey _signing = Ed25519PrivateKey.Generate();
    private readonly byte[] _agreementKey = X25519PrivateKey.Generate().PublicKey.ToArray();

    public DeviceId Id { get; } = id ?? DeviceId.New();

    /// <summary>Ed25519, then X25519.</summary>
    public byte[] Identity => [.. _signing.PublicKey.Span, .. _agreementKey];

    /// <summary>The second step of a login on a channel.</summary>
    public FinishLoginRequest Finish(byte[] ke3, ReadOnlyMemory<byte> channelBinding) => new(
        ke3,
        Id,
        "laptop",
        Identity,
        _signing.Sign(LoginProof.DeviceSignedBytes(channelBinding.Span, ke3, Id, Identity)));
}
