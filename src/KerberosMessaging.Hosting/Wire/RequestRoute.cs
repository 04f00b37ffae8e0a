using KerberosMessaging.Protocol;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KerberosMessaging.Hosting.Wire;

/// <summary>One row of the dispatch table.</summary>
public abstract class RequestRoute
{
    private protected RequestRoute(MessageCode code, RequestAccess access, int cost)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(cost);
        Code = code;
        Name = code.ToString();
        Access = access;
        Cost = cost;
    }

    /// <summary>The request's code.</summary>
    public MessageCode Code { get; }

    /// <summary>Which connections may send it.</summary>
    public RequestAccess Access { get; }

    /// <summary>As how many requests it counts where requests are limited.</summary>
    public int Cost { get; }

    /// <summary>The code's name, made once.</summary>
    internal string Name { get; }
}

/// <summary>A request that is answered before the next one is read, by a handler with a scope of its own.</summary>
internal abstract class ScopedRoute(MessageCode code, RequestAccess access, int cost) : RequestRoute(code, access, cost)
{
    internal abstract ValueTask<HandlerReply> InvokeAsync(
        IServiceProvider services,
        ReadOnlyMemory<byte> payload,
        WireConnection connection,
        CancellationToken cancellationToken);
}

/// <inheritdoc />
internal sealed class ScopedRoute<TRequest, THandler>(RequestAccess access, int cost)
    : ScopedRoute(TRequest.Code, access, cost)
    where TRequest : IWireMessage<TRequest>
    where THandler : class, IRequestHandler<TRequest>
{
    internal override async ValueTask<HandlerReply> InvokeAsync(
        IServiceProvider services,
        ReadOnlyMemory<byte> payload,
        WireConnection connection,
        CancellationToken cancellationToken)
    {
        var request = WireReader.ReadWhole<TRequest>(payload.Span);
        await using var scope = services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<THandler>().HandleAsync(request, connection, cancellationToken);
    }
}

/// <summary>A request many of which may wait at once on one connection, with one handler for all.</summary>
internal abstract class PipelinedRoute(MessageCode code, RequestAccess access, int cost) : RequestRoute(code, access, cost)
{
    internal abstract ValueTask StartAsync(
        IServiceProvider services, ReadOnlyMemory<byte> payload, PipelinedCall call, CancellationToken cancellationToken);
}

/// <inheritdoc />
internal sealed class PipelinedRoute<TRequest, THandler>(RequestAccess access, int cost)
    : PipelinedRoute(TRequest.Code, access, cost)
    where TRequest : IWireMessage<TRequest>
    where THandler : class, IPipelinedHandler<TRequest>
{
    // Looked up once: a look-up takes longer than a handler's own work.
    private THandler? _handler;

    internal override ValueTask StartAsync(
        IServiceProvider services, ReadOnlyMemory<byte> payload, PipelinedCall call, CancellationToken cancellationToken) =>
        (_handler ??= services.GetRequiredService<THandler>())
            .StartAsync(WireReader.ReadWhole<TRequest>(payload.Span), call, cancellationToken);
}

/// <summary>
/// A request that takes a while by itself: others are read and answered while it runs. It starts in order, and its handler is one
/// for all requests.
/// </summary>
internal sealed class ConcurrentRoute<TRequest, THandler>(RequestAccess access, int cost)
    : PipelinedRoute(TRequest.Code, access, cost)
    where TRequest : IWireMessage<TRequest>
    where THandler : class, IRequestHandler<TRequest>
{
    internal override ValueTask StartAsync(
        IServiceProvider services, ReadOnlyMemory<byte> payload, PipelinedCall call, CancellationToken cancellationToken)
    {
        // Runs up to the handler's first await here, which is where it takes its place in a shared order.
        var handling = services.GetRequiredService<THandler>()
            .HandleAsync(WireReader.ReadWhole<TRequest>(payload.Span), call.Connection, cancellationToken);
        _ = AnswerAsync(handling, call, services.GetRequiredService<ILogger<RequestLoop>>());
        return ValueTask.CompletedTask;
    }

    private static async Task AnswerAsync(ValueTask<HandlerReply> handling, PipelinedCall call, ILogger logger)
    {
        try
        {
            call.Reply((await handling).Message);
        }
        catch (Exception) when (call.Connection.IsClosing)
        {
            // The connection ended before the answer; the peer asks again.
            call.Abandon();
        }
        catch (Exception e)
        {
            WireLog.HandlerFailed(logger, e, call.Connection.ConnectionId);
            call.Fail();
        }
    }
}
