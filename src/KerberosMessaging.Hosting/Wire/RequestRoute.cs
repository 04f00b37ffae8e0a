using KerberosMessaging.Protocol;
using Microsoft.Extensions.DependencyInjection;

namespace KerberosMessaging.Hosting.Wire;

/// <summary>One row of the dispatch table.</summary>
public abstract class RequestRoute
{
    private protected RequestRoute(MessageCode code, RequestAccess access, int cost, bool isPipelined)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(cost);
        Code = code;
        Name = code.ToString();
        Access = access;
        Cost = cost;
        IsPipelined = isPipelined;
    }

    /// <summary>The request's code.</summary>
    public MessageCode Code { get; }

    /// <summary>Which connections may send it.</summary>
    public RequestAccess Access { get; }

    /// <summary>As how many requests it counts where requests are limited.</summary>
    public int Cost { get; }

    /// <summary>Whether the next request is read before this one is answered.</summary>
    public bool IsPipelined { get; }

    /// <summary>The code's name, made once.</summary>
    internal string Name { get; }

    internal abstract ValueTask<HandlerReply> InvokeAsync(
        IServiceProvider services,
        ReadOnlyMemory<byte> payload,
        WireConnection connection,
        CancellationToken cancellationToken);
}

/// <summary>A request that is answered before the next one is read, by a handler with a scope of its own.</summary>
internal sealed class ScopedRoute<TRequest, THandler>(RequestAccess access, int cost)
    : RequestRoute(TRequest.Code, access, cost, isPipelined: false)
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

/// <summary>
/// A request that waits for something shared, such as a group commit: many of one connection wait together. The handler
/// is a singleton and must take its place in the shared order before its first await.
/// </summary>
internal sealed class PipelinedRoute<TRequest, THandler>(RequestAccess access, int cost)
    : RequestRoute(TRequest.Code, access, cost, isPipelined: true)
    where TRequest : IWireMessage<TRequest>
    where THandler : class, IRequestHandler<TRequest>
{
    internal override ValueTask<HandlerReply> InvokeAsync(
        IServiceProvider services,
        ReadOnlyMemory<byte> payload,
        WireConnection connection,
        CancellationToken cancellationToken) =>
        services.GetRequiredService<THandler>()
            .HandleAsync(WireReader.ReadWhole<TRequest>(payload.Span), connection, cancellationToken);
}
