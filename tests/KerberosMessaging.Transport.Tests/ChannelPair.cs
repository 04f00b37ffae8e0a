using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Transport.Tests;

/// <summary>Both ends of an open channel, with the test in the middle.</summary>
internal sealed class ChannelPair : IDisposable
{
    private ChannelPair(Wire wire, SecureChannel client, SecureChannel server) => (Wire, Client, Server) = (wire, client, server);

    public static ServerId ServerId { get; } = ServerId.New();

    public static Ed25519PrivateKey SigningKey { get; } = Ed25519PrivateKey.Generate();

    public Wire Wire { get; }

    public SecureChannel Client { get; }

    public SecureChannel Server { get; }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static bool IsExpectedKey(ReadOnlySpan<byte> signingKey) => signingKey.SequenceEqual(SigningKey.PublicKey.Span);

    public static async Task<ChannelPair> OpenAsync(ChannelOptions? clientOptions = null, ChannelOptions? serverOptions = null)
    {
        var wire = new Wire();
        var connecting = SecureChannel.ConnectAsync(wire.Client, IsExpectedKey, clientOptions ?? new ChannelOptions(), Cancel);
        await wire.SendToServerAsync(wire.TakeFromClient());
        var server = await AcceptAsync(wire, serverOptions);
        await wire.SendToClientAsync(wire.TakeFromServer());
        return new ChannelPair(wire, await connecting, server!);
    }

    public static Task<SecureChannel?> AcceptAsync(Wire wire, ChannelOptions? options = null) => AcceptAsync(wire.Server, options);

    public static async Task<SecureChannel?> AcceptAsync(DuplexPipe pipe, ChannelOptions? options = null)
    {
        var server = await SecureChannel.AcceptAsync(pipe, ServerId, SigningKey, options ?? new ChannelOptions(), Cancel);
        if (server is not null)
        {
            await server.FlushAsync(Cancel);
        }

        return server;
    }

    /// <summary>Seals a message at the client and takes its frame off the wire.</summary>
    public async Task<byte[]> SealAtClientAsync(IWireMessage message, uint requestId)
    {
        Client.Write(message, requestId);
        await Client.FlushAsync(Cancel);
        return Wire.TakeFromClient();
    }

    /// <summary>Seals a message at the server and takes its frame off the wire.</summary>
    public async Task<byte[]> SealAtServerAsync(IWireMessage message, uint requestId)
    {
        Server.Write(message, requestId);
        await Server.FlushAsync(Cancel);
        return Wire.TakeFromServer();
    }

    /// <summary>Puts bytes on the wire and reads the frame that they complete.</summary>
    public async Task<ReceivedFrame> OpenAtServerAsync(params byte[] bytes)
    {
        await Wire.SendToServerAsync(bytes);
        return (await Server.ReadAsync(Cancel).AsTask().WaitAsync(Check.Patience, Cancel))!.Value;
    }

    /// <summary>Puts bytes on the wire and reads the frame that they complete.</summary>
    public async Task<ReceivedFrame> OpenAtClientAsync(params byte[] bytes)
    {
        await Wire.SendToClientAsync(bytes);
        return (await Client.ReadAsync(Cancel).AsTask().WaitAsync(Check.Patience, Cancel))!.Value;
    }

    /// <summary>Carries one message from the client to the server and checks that it arrives as it left.</summary>
    public async Task CarryToServerAsync(uint requestId)
    {
        var message = new LookUpClientRequest($"name {requestId}");
        var frame = await OpenAtServerAsync(await SealAtClientAsync(message, requestId));
        Assert.Equal((MessageCode.LookUpClient, requestId), (frame.Code, frame.RequestId));
        Assert.Equal(message, WireReader.ReadWhole<LookUpClientRequest>(frame.Payload.Span));
    }

    /// <summary>Carries one message from the server to the client and checks that it arrives as it left.</summary>
    public async Task CarryToClientAsync(uint requestId)
    {
        var message = new ErrorReply(ProtocolError.Busy, requestId);
        var frame = await OpenAtClientAsync(await SealAtServerAsync(message, requestId));
        Assert.Equal((MessageCode.Error, requestId), (frame.Code, frame.RequestId));
        Assert.Equal(message, WireReader.ReadWhole<ErrorReply>(frame.Payload.Span));
    }

    public void Dispose()
    {
        Client.Dispose();
        Server.Dispose();
    }
}
