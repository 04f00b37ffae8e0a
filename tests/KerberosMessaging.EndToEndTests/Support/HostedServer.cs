using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace KerberosMessaging.EndToEndTests.Support;

/// <summary>A server in this process.</summary>
internal sealed class HostedServer(WebApplication app) : IRealmServer
{
    public WebApplication App => app;

    public int Port => app.Services.GetRequiredService<WireListener>().EndPoint.Port;

    public ConnectionRegistry Connections => app.Services.GetRequiredService<ConnectionRegistry>();

    public static async Task<HostedServer> StartAsync(WebApplication app, CancellationToken cancellationToken)
    {
        await app.StartAsync(cancellationToken);
        var readiness = app.Services.GetRequiredService<ReadinessState>();
        await Eventually.TrueAsync(() => readiness.IsReady, cancellationToken);
        return new HostedServer(app);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await app.StopAsync(cancellationToken);
        await app.DisposeAsync();
    }

    public Task KillAsync() => StopAsync(CancellationToken.None);

    public ValueTask DisposeAsync() => app.DisposeAsync();
}
