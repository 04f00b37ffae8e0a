using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;

namespace KerberosMessaging.AuthServer.Tests.Support;

/// <summary>A message server with its signing key, which comes back and authenticates with it.</summary>
internal sealed class TestMember(string name = "msg-1", Ed25519PrivateKey? key = null)
{
    public string Name { get; } = name;

    public Ed25519PrivateKey Key { get; } = key ?? Ed25519PrivateKey.Generate();

    /// <summary>The realm's id for it, once it is enrolled.</summary>
    public ServerId Id { get; private set; }

    /// <summary>The keys that it was last given.</summary>
    public ServerKeys Keys { get; private set; } = null!;

    private TestMessageServer Opener => new(new ServerRegistered(Id, Keys));

    public static async Task<TestMember> EnrolAsync(TestServer server, string name = "msg-1")
    {
        var member = new TestMember(name);
        await using var client = await server.ConnectAsync();
        await member.EnrolAsync(client, await AuthServerApp.CreateEnrolmentTokenAsync(server.App));
        return member;
    }

    public async Task<ServerRegistered> EnrolAsync(TestClient client, string token)
    {
        var registered = await client.RequestAsync<ServerRegistered>(Enrolment(client.ChannelBinding, token));
        (Id, Keys) = (registered.Server, registered.Keys);
        return registered;
    }

    public RegisterServerRequest Enrolment(ReadOnlyMemory<byte> channelBinding, string token, string host = "msg.example", ushort port = 1257) => new(
        token, Name, host, port, Key.PublicKey.ToArray(), Key.Sign(ServerProof.EnrolmentSignedBytes(channelBinding.Span, token)));

    /// <summary>The proof of its key for one channel, with the address that it wants to be listed under.</summary>
    public AuthenticateServerRequest Proof(
        ReadOnlyMemory<byte> channelBinding,
        ServerId? id = null,
        string? name = null,
        string host = "msg.example",
        ushort port = 1257,
        Ed25519PrivateKey? key = null)
    {
        var (server, listed) = (id ?? Id, name ?? Name);
        return new AuthenticateServerRequest(
            server,
            listed,
            host,
            port,
            (key ?? Key).Sign(ServerProof.AuthenticationSignedBytes(channelBinding.Span, server, listed, host, port)));
    }

    /// <summary>A channel on which it has authenticated.</summary>
    public async Task<MemberLink> ArriveAsync(TestServer server)
    {
        var link = await MemberLink.ConnectAsync(server);
        Keys = await link.RequestAsync<ServerKeys>(Proof(link.ChannelBinding));
        return link;
    }

    public async Task FetchKeysAsync(MemberLink link) => Keys = await link.RequestAsync<ServerKeys>(new FetchServerKeysRequest());

    /// <summary>Fetches its keys and says that it has them.</summary>
    public async Task TakeUpKeysAsync(MemberLink link)
    {
        await FetchKeysAsync(link);
        await link.RequestAsync<Done>(new ConfirmServerKeysRequest(
            Keys.ServiceKeys.Max(static key => key.Version), Keys.TicketSigningKeys.Max(static key => key.Version)));
    }

    public TicketBody? Open(ReadOnlySpan<byte> ticket) => Opener.Open(ticket);

    public byte[] ServiceKey(uint version) => Keys.ServiceKeys.Single(key => key.Version == version).Key;
}
