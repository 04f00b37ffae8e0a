using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;

namespace KerberosMessaging.AuthServer.Tests.Support;

/// <summary>A message server as far as the realm knows one: its registration, and the opening of tickets.</summary>
internal sealed record TestMessageServer(ServerRegistered Registered)
{
    /// <summary>The service key; a new server has one.</summary>
    public byte[] ServiceKey => Assert.Single(Registered.Keys.ServiceKeys).Key;

    /// <summary>The request of a server with a new key, for the channel of <paramref name="client"/>.</summary>
    public static RegisterServerRequest Request(
        TestClient client, string token, string name = "msg-1", string host = "msg.example", ushort port = 1257)
    {
        using var key = Ed25519PrivateKey.Generate();
        return new RegisterServerRequest(
            token,
            name,
            host,
            port,
            key.PublicKey.ToArray(),
            key.Sign(ServerProof.EnrolmentSignedBytes(client.ChannelBinding.Span, token)));
    }

    public static async Task<TestMessageServer> EnrolAsync(TestClient client, string token, string name = "msg-1") =>
        new(await client.RequestAsync<ServerRegistered>(Request(client, token, name)));

    /// <summary>Opens a service ticket with this server's id and key.</summary>
    public TicketBody? Open(ReadOnlySpan<byte> ticket) => ServiceTicket.TryOpen(
        ticket,
        Registered.Server,
        version => Find(Registered.Keys.ServiceKeys, version) is { } key ? new SecretBytes(key) : null,
        version => Find(Registered.Keys.TicketSigningKeys, version));

    /// <summary>The same server with another service key.</summary>
    public TestMessageServer WithServiceKey(uint version, byte[] key) =>
        new(Registered with { Keys = Registered.Keys with { ServiceKeys = [new VersionedKey(version, key)] } });

    /// <summary>The same server, which knows another key that signs tickets.</summary>
    public TestMessageServer WithTicketSigningKey(uint version, byte[] key) =>
        new(Registered with { Keys = Registered.Keys with { TicketSigningKeys = [new VersionedKey(version, key)] } });

    private static byte[]? Find(IReadOnlyList<VersionedKey> keys, uint version) =>
        keys.SingleOrDefault(key => key.Version == version)?.Key;
}
