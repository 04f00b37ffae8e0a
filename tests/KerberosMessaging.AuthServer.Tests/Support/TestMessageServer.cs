using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;

namespace KerberosMessaging.AuthServer.Tests.Support;

/// <summary>A message server as far as the realm knows one: its registration, and the opening of tickets.</summary>
internal sealed record TestMessageServer(ServerRegistered Registered)
{
    public static RegisterServerRequest Request(string token, string name = "msg-1", string host = "msg.example", ushort port = 1257) =>
        new(token, name, host, port, Ed25519PrivateKey.Generate().PublicKey.ToArray());

    public static async Task<TestMessageServer> EnrolAsync(TestClient client, string token, string name = "msg-1") =>
        new(await client.RequestAsync<ServerRegistered>(Request(token, name)));

    /// <summary>Opens a service ticket with this server's id and key.</summary>
    public TicketBody? Open(ReadOnlySpan<byte> ticket) => ServiceTicket.TryOpen(
        ticket,
        Registered.Server,
        version => version == Registered.KeyVersion ? new SecretBytes(Registered.ServiceKey) : null,
        Registered.RealmSigningKey);
}
