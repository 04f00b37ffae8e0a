using System.Diagnostics.Metrics;
using System.Reflection;
using KerberosMessaging.Hosting.Admin.Access;
using KerberosMessaging.Hosting.Backup;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace KerberosMessaging.Hosting.Telemetry;

/// <summary>Exports what a server measures and traces.</summary>
public static class TelemetryServices
{
    /// <summary>Where Prometheus reads the figures on the admin port.</summary>
    public const string MetricsPath = "/metrics";

    // The runtime's own meter: memory, collections, threads, CPU time.
    private const string RuntimeMeter = "System.Runtime";

    /// <summary>Adds export of figures and traces; those that are set before, such as another name, stay.</summary>
    /// <param name="builder">The server being built.</param>
    /// <param name="service">What the server is called in the figures of a whole realm.</param>
    public static void AddTelemetry(this WebApplicationBuilder builder, string service)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var name = builder.Environment.ApplicationName;
        var services = builder.Services;
        services.AddOptions<TelemetryOptions>().BindConfiguration(TelemetryOptions.SectionName).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<TelemetryOptions>, TelemetryOptionsValidator>());
        services.AddMetrics();
        services.TryAddSingleton(provider => new ServerTelemetry(name, provider.GetRequiredService<IMeterFactory>()));
        services.TryAddSingleton<AdminMetrics>();
        services.TryAddSingleton<CommitMetrics>();
        services.TryAddSingleton<AuditMetrics>();
        services.TryAddSingleton<DataMetrics>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IAuthorizationHandler, LoopbackMetricsHandler>());

        var version = typeof(TelemetryServices).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
        var telemetry = services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService(service, serviceVersion: version))
            .WithMetrics(metrics => metrics.AddMeter(name, RuntimeMeter).AddPrometheusExporter(static prometheus =>
            {
                // One scope and one target a scrape: a label on every line, and a line that repeats them, would say nothing.
                prometheus.ScopeInfoEnabled = false;
                prometheus.TargetInfoEnabled = false;
            }));

        // Whether anything is sent decides what is built, so it is asked before the options are checked; a wrong address is
        // named then.
        var options = builder.Configuration.GetSection(TelemetryOptions.SectionName).Get<TelemetryOptions>() ?? new TelemetryOptions();
        if (new TelemetryOptionsValidator().Validate(name: null, options).Succeeded && options.Collector is { } collector)
        {
            SendTo(telemetry, collector, options, name);
        }
    }

    /// <summary>Maps <see cref="MetricsPath"/> on the admin port.</summary>
    /// <param name="app">The server being built.</param>
    public static void MapMetrics(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);

        // Registers their instruments before anything asks for them.
        app.Services.GetRequiredService<DataMetrics>();
        app.Services.GetService<BackupWatch>();
        app.Services.GetRequiredService<AdminMetrics>();
        app.MapPrometheusScrapingEndpoint(MetricsPath).RequireScope(AdminScope.MetricsRead).WithMetadata(new LoopbackMetricsHandler.Open());
    }

    private static void SendTo(OpenTelemetry.OpenTelemetryBuilder telemetry, Uri collector, TelemetryOptions options, string name)
    {
        var isHttp = options.OtlpProtocol == "http";
        void Configure(OtlpExporterOptions otlp, string path)
        {
            otlp.Protocol = isHttp ? OtlpExportProtocol.HttpProtobuf : OtlpExportProtocol.Grpc;
            otlp.Endpoint = isHttp ? new Uri($"{collector.ToString().TrimEnd('/')}/{path}") : collector;
        }

        telemetry.WithMetrics(metrics => metrics.AddOtlpExporter(otlp => Configure(otlp, "v1/metrics")));
        telemetry.WithTracing(traces => traces
            .AddSource(name)
            .SetSampler(new ParentBasedSampler(
                new TraceIdRatioBasedSampler(options.TraceRatio),
                remoteParentNotSampled: new TraceIdRatioBasedSampler(options.TraceRatio)))
            .AddOtlpExporter(otlp => Configure(otlp, "v1/traces")));
    }
}
