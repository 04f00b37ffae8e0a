using System.Collections.Concurrent;
using System.Text;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Hosting.Tests.Wire;

/// <summary>Any bytes under any code.</summary>
internal sealed record RawMessage(MessageCode FrameCode, byte[] Payload) : IWireMessage
{
    public void Write(WireWriter writer) => writer.WriteFixed(Payload, Payload.Length);
}

/// <summary>Asks for the same bytes back. Anybody may.</summary>
internal sealed record EchoRequest(byte[] Bytes) : IWireMessage<EchoRequest>
{
    public static MessageCode Code => MessageCode.LookUpClient;

    public static EchoRequest Read(ref WireReader reader) => new(reader.ReadBytes32(int.MaxValue));

    public void Write(WireWriter writer) => writer.WriteBytes32(Bytes);
}

/// <summary>Asks for so many bytes. Only who is signed in may.</summary>
internal sealed record FillRequest(uint Length) : IWireMessage<FillRequest>
{
    public static MessageCode Code => MessageCode.ListServers;

    public static FillRequest Read(ref WireReader reader) => new(reader.ReadU32());

    public void Write(WireWriter writer) => writer.WriteU32(Length);
}

/// <summary>Signs the channel in as a client for so many seconds, or out.</summary>
internal sealed record SignInRequest(uint Seconds, ClientId Client) : IWireMessage<SignInRequest>
{
    public static MessageCode Code => MessageCode.PresentTicket;

    public static SignInRequest Read(ref WireReader reader) => new(reader.ReadU32(), new ClientId(reader.ReadId()));

    public void Write(WireWriter writer)
    {
        writer.WriteU32(Seconds);
        writer.WriteId(Client.Value);
    }
}

/// <summary>Is answered at once, and counts as several requests.</summary>
internal sealed record ExpensiveRequest : IWireMessage<ExpensiveRequest>
{
    public const int Cost = 4;

    public static MessageCode Code => MessageCode.StartLogin;

    public static ExpensiveRequest Read(ref WireReader reader) => new();

    public void Write(WireWriter writer)
    {
    }
}

/// <summary>Is answered at once, and is free.</summary>
internal sealed record FreeRequest : IWireMessage<FreeRequest>
{
    public static MessageCode Code => MessageCode.GrantCredit;

    public static FreeRequest Read(ref WireReader reader) => new();

    public void Write(WireWriter writer)
    {
    }
}

/// <summary>Signs the channel in as a message server's.</summary>
internal sealed record ServerSignInRequest(ServerId Server) : IWireMessage<ServerSignInRequest>
{
    public static MessageCode Code => MessageCode.RegisterServer;

    public static ServerSignInRequest Read(ref WireReader reader) => new(new ServerId(reader.ReadId()));

    public void Write(WireWriter writer) => writer.WriteId(Server.Value);
}

/// <summary>Asks a server's channel whose it is. Only a message server may.</summary>
internal sealed record WhoAmIRequest : IWireMessage<WhoAmIRequest>
{
    public static MessageCode Code => MessageCode.RenewTicket;

    public static WhoAmIRequest Read(ref WireReader reader) => new();

    public void Write(WireWriter writer)
    {
    }
}

/// <summary>Is answered when the test says so; the next request of the connection waits for that.</summary>
internal sealed record SlowRequest(string Gate) : IWireMessage<SlowRequest>
{
    public static MessageCode Code => MessageCode.RegisterClient;

    public static SlowRequest Read(ref WireReader reader) => new(reader.ReadText(64));

    public void Write(WireWriter writer) => writer.WriteText(Gate);
}

/// <summary>Is answered when the test says so; many of one connection wait together.</summary>
internal sealed record PipelinedRequest(string Gate) : IWireMessage<PipelinedRequest>
{
    public static MessageCode Code => MessageCode.SendMessage;

    public static PipelinedRequest Read(ref WireReader reader) => new(reader.ReadText(64));

    public void Write(WireWriter writer) => writer.WriteText(Gate);
}

/// <summary>Makes its handler throw.</summary>
internal sealed record FailRequest(string Kind, string Secret) : IWireMessage<FailRequest>
{
    public static MessageCode Code => MessageCode.FinishRegistration;

    public static FailRequest Read(ref WireReader reader) => new(reader.ReadText(64), reader.ReadText(64));

    public void Write(WireWriter writer)
    {
        writer.WriteText(Kind);
        writer.WriteText(Secret);
    }

    public Exception Exception() => Kind switch
    {
        "bug" => new InvalidOperationException("a bug of the server's own"),
        "argument" => new ArgumentException("a bug of the server's own"),
        "disk" => new IOException("a bug of the server's own"),
        "cancelled" => new OperationCanceledException("a bug of the server's own"),
        "closed" => new System.Threading.Channels.ChannelClosedException("a bug of the server's own"),
        _ => throw new ArgumentOutOfRangeException(nameof(Kind)),
    };
}

/// <summary>Makes its pipelined handler throw, at once or after an await.</summary>
internal sealed record PipelinedFailRequest(string Kind, bool AtOnce) : IWireMessage<PipelinedFailRequest>
{
    public static MessageCode Code => MessageCode.UploadPrekeys;

    public static PipelinedFailRequest Read(ref WireReader reader) => new(reader.ReadText(64), reader.ReadFlag());

    public void Write(WireWriter writer)
    {
        writer.WriteText(Kind);
        writer.WriteFlag(AtOnce);
    }
}

/// <summary>What the handlers share with the test.</summary>
internal sealed class SampleState
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _gates = new();
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _started = new();

    /// <summary>The gates that requests have come to, in the order they came.</summary>
    public ConcurrentQueue<string> Started { get; } = new();

    public void Open(string gate) => Source(_gates, gate).TrySetResult();

    public Task StartedAsync(string gate) => Wait.ForAsync(Source(_started, gate).Task);

    public Task PassAsync(string gate, CancellationToken cancellationToken)
    {
        Started.Enqueue(gate);
        Source(_started, gate).TrySetResult();
        return Source(_gates, gate).Task.WaitAsync(cancellationToken);
    }

    private static TaskCompletionSource Source(ConcurrentDictionary<string, TaskCompletionSource> sources, string gate) =>
        sources.GetOrAdd(gate, static _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
}

internal static class SampleReply
{
    public static RawMessage Of(byte[] bytes) => new(MessageCode.ClientFound, bytes);
}

internal sealed class EchoHandler : IRequestHandler<EchoRequest>
{
    public ValueTask<HandlerReply> HandleAsync(EchoRequest request, WireConnection connection, CancellationToken cancellationToken) =>
        ValueTask.FromResult(HandlerReply.Of(SampleReply.Of(request.Bytes)));
}

internal sealed class SecondEchoHandler : IPipelinedHandler<EchoRequest>
{
    public ValueTask StartAsync(EchoRequest request, PipelinedCall call, CancellationToken cancellationToken)
    {
        call.Reply(SampleReply.Of(request.Bytes));
        return ValueTask.CompletedTask;
    }
}

internal sealed class FillHandler : IRequestHandler<FillRequest>
{
    public ValueTask<HandlerReply> HandleAsync(FillRequest request, WireConnection connection, CancellationToken cancellationToken) =>
        ValueTask.FromResult(HandlerReply.Of(SampleReply.Of(new byte[request.Length])));
}

internal sealed class SignInHandler(TimeProvider time) : IRequestHandler<SignInRequest>
{
    public ValueTask<HandlerReply> HandleAsync(SignInRequest request, WireConnection connection, CancellationToken cancellationToken)
    {
        if (request.Seconds == 0)
        {
            connection.SignOut();
        }
        else
        {
            connection.SignIn(new WirePrincipal(
                SessionId.New(), request.Client, "alice", DeviceId.New(), time.GetUtcNow().AddSeconds(request.Seconds)));
        }

        return ValueTask.FromResult(HandlerReply.Of(new Done()));
    }
}

internal sealed class ExpensiveHandler : IRequestHandler<ExpensiveRequest>, IPipelinedHandler<FreeRequest>
{
    public ValueTask<HandlerReply> HandleAsync(ExpensiveRequest request, WireConnection connection, CancellationToken cancellationToken) =>
        ValueTask.FromResult(HandlerReply.Of(new Done()));

    public ValueTask StartAsync(FreeRequest request, PipelinedCall call, CancellationToken cancellationToken)
    {
        call.Reply(new Done());
        return ValueTask.CompletedTask;
    }
}

internal sealed class ServerSignInHandler : IRequestHandler<ServerSignInRequest>
{
    public ValueTask<HandlerReply> HandleAsync(ServerSignInRequest request, WireConnection connection, CancellationToken cancellationToken)
    {
        connection.SignInServer(request.Server);
        return ValueTask.FromResult(HandlerReply.Of(new Done()));
    }
}

internal sealed class WhoAmIHandler : IRequestHandler<WhoAmIRequest>
{
    public ValueTask<HandlerReply> HandleAsync(WhoAmIRequest request, WireConnection connection, CancellationToken cancellationToken) =>
        ValueTask.FromResult(HandlerReply.Of(SampleReply.Of(connection.Server!.Value.Value.ToByteArray(bigEndian: true))));
}

internal sealed class SlowHandler(SampleState state) : IRequestHandler<SlowRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(SlowRequest request, WireConnection connection, CancellationToken cancellationToken)
    {
        await state.PassAsync(request.Gate, cancellationToken);
        return HandlerReply.Of(SampleReply.Of(Encoding.UTF8.GetBytes(request.Gate)));
    }
}

internal sealed class PipelinedHandler(SampleState state) : IPipelinedHandler<PipelinedRequest>
{
    public ValueTask StartAsync(PipelinedRequest request, PipelinedCall call, CancellationToken cancellationToken)
    {
        _ = AnswerLaterAsync(request, call, cancellationToken);
        return ValueTask.CompletedTask;
    }

    private async Task AnswerLaterAsync(PipelinedRequest request, PipelinedCall call, CancellationToken cancellationToken)
    {
        await state.PassAsync(request.Gate, cancellationToken);
        call.Reply(SampleReply.Of(Encoding.UTF8.GetBytes(request.Gate)));
    }
}

internal sealed class FailHandler : IRequestHandler<FailRequest>
{
    public ValueTask<HandlerReply> HandleAsync(FailRequest request, WireConnection connection, CancellationToken cancellationToken) =>
        throw request.Exception();
}

internal sealed class PipelinedFailHandler : IPipelinedHandler<PipelinedFailRequest>
{
    public ValueTask StartAsync(PipelinedFailRequest request, PipelinedCall call, CancellationToken cancellationToken)
    {
        var exception = new FailRequest(request.Kind, "").Exception();
        return request.AtOnce ? throw exception : FailLaterAsync(exception);
    }

    private static async ValueTask FailLaterAsync(Exception exception)
    {
        await Task.Yield();
        throw exception;
    }
}
