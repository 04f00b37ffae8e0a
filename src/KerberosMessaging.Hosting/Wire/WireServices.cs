using System.Diagnostics.Metrics;
using System.Net;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Telemetry;
using KerberosMessaging.Hosting.Wire.Limits;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Wire;

/// <summary>Registers the wire port and its request handlers.</summary>
public static class WireServices
{
    /// <summary>Adds everything that the wire port needs but the handlers.</summary>
    /// <param name="services">The server's services.</param>
    public static IServiceCollection AddWire(this IServiceCollection services)
    {
        services.AddOptions<WireOptions>().BindConfiguration(WireOptions.SectionName).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<WireOptions>, WireOptionsValidator>());
        services.AddOptions<LimitOptions>().BindConfiguration(LimitOptions.SectionName).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<LimitOptions>, LimitOptionsValidator>());
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ServerIdentity>();
        services.TryAddSingleton<ConnectionRegistry>();
        services.TryAddSingleton<ReadinessState>();
        services.TryAddSingleton<DrainService>();
        services.AddHostedService<KeepAliveService>();
        services.AddPipelinedRequest<PingRequest, PingHandler>(RequestAccess.Anyone, cost: 0);
        services.TryAddSingleton<RequestDispatcher>();
        services.TryAddSingleton<RequestLoop>();
        services.TryAddSingleton<WireListener>();
        services.TryAddSingleton<ProxyProtocol>();
        services.TryAddSingleton(static provider =>
            new ServerTelemetry(ServerTelemetry.DefaultName, provider.GetRequiredService<IMeterFactory>()));
        services.TryAddSingleton<ServerMetrics>();
        services.TryAddSingleton<LimitReports>();
        services.TryAddSingleton<ConnectionLimits>();
        services.TryAddSingleton<ClientLimits>();
        services.TryAddSingleton<RequestLimits>();
        return services;
    }

    /// <summary>Adds a request that is answered before the next one of its connection is read.</summary>
    /// <typeparam name="TRequest">The request.</typeparam>
    /// <typeparam name="THandler">Its handler, made anew for each request.</typeparam>
    /// <param name="services">The server's services.</param>
    /// <param name="access">Which connections may send it.</param>
    /// <param name="cost">As how many requests it counts where requests are limited; 0 is free.</param>
    public static IServiceCollection AddRequest<TRequest, THandler>(
        this IServiceCollection services, RequestAccess access, int cost = 1)
        where TRequest : IWireMessage<TRequest>
        where THandler : class, IRequestHandler<TRequest>
    {
        services.AddScoped<THandler>();
        return services.AddSingleton<RequestRoute>(new ScopedRoute<TRequest, THandler>(access, cost));
    }

    /// <summary>Adds a request many of which may wait at once on one connection.</summary>
    /// <typeparam name="TRequest">The request.</typeparam>
    /// <typeparam name="THandler">Its handler, one for all requests.</typeparam>
    /// <param name="services">The server's services.</param>
    /// <param name="access">Which connections may send it.</param>
    /// <param name="cost">As how many requests it counts where requests are limited; 0 is free.</param>
    public static IServiceCollection AddPipelinedRequest<TRequest, THandler>(
        this IServiceCollection services, RequestAccess access, int cost = 1)
        where TRequest : IWireMessage<TRequest>
        where THandler : class, IPipelinedHandler<TRequest>
    {
        services.AddSingleton<THandler>();
        return services.AddSingleton<RequestRoute>(new PipelinedRoute<TRequest, THandler>(access, cost));
    }

    /// <summary>Adds a request that takes a while by itself; others of its connection are read and answered meanwhile.</summary>
    /// <typeparam name="TRequest">The request.</typeparam>
    /// <typeparam name="THandler">Its handler, one for all requests; it takes its place in any shared order before its first await.</typeparam>
    /// <param name="services">The server's services.</param>
    /// <param name="access">Which connections may send it.</param>
    /// <param name="cost">As how many requests it counts where requests are limited; 0 is free.</param>
    public static IServiceCollection AddConcurrentRequest<TRequest, THandler>(
        this IServiceCollection services, RequestAccess access, int cost = 1)
        where TRequest : IWireMessage<TRequest>
        where THandler : class, IRequestHandler<TRequest>
    {
        services.AddSingleton<THandler>();
        return services.AddSingleton<RequestRoute>(new ConcurrentRoute<TRequest, THandler>(access, cost));
    }

    /// <summary>Makes Kestrel listen on the wire port.</summary>
    /// <param name="kestrel">Kestrel's options.</param>
    public static void ListenWire(this KestrelServerOptions kestrel)
    {
        var options = kestrel.ApplicationServices.GetRequiredService<IOptions<WireOptions>>().Value;
        var listener = kestrel.ApplicationServices.GetRequiredService<WireListener>();
        var proxies = kestrel.ApplicationServices.GetRequiredService<ProxyProtocol>();
        kestrel.Listen(IPAddress.Parse(options.Address), options.Port, listen =>
        {
            listener.Attach(listen);
            if (proxies.IsOn)
            {
                listen.Use(next => connection => proxies.OnConnectedAsync(connection, next));
            }

            listen.UseConnectionHandler<WireConnectionHandler>();
        });
    }
}
