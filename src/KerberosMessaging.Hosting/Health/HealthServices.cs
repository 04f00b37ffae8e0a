using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Health;

/// <summary>Adds the checks that both servers have.</summary>
public static class HealthServices
{
    /// <summary>The tag of checks without which a server can take no work. The others are for people.</summary>
    public const string ReadyTag = "ready";

    /// <summary>Adds the options and what reports.</summary>
    /// <param name="services">The server's services.</param>
    internal static void AddHealthReports(this IServiceCollection services)
    {
        services.AddOptions<HealthOptions>().BindConfiguration(HealthOptions.SectionName).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<HealthOptions>, HealthOptionsValidator>());
        services.AddHealthChecks();
        services.TryAddSingleton<HealthReports>();
    }

    /// <summary>Checks that the database takes writes and that the disk has room.</summary>
    /// <typeparam name="TProbe">Writes to the server's database.</typeparam>
    /// <param name="services">The server's services.</param>
    /// <returns>For checks of the server's own.</returns>
    public static IHealthChecksBuilder AddServerHealth<TProbe>(this IServiceCollection services)
        where TProbe : class, IDatabaseProbe
    {
        services.TryAddSingleton<IDatabaseProbe, TProbe>();
        return services.AddHealthChecks()
            .AddCheck<DatabaseCheck>("database", HealthStatus.Unhealthy, [ReadyTag])
            .AddCheck<DiskCheck>("disk");
    }
}
