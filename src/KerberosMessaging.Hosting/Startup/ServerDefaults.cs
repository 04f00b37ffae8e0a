using System.Globalization;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Logs;
using KerberosMessaging.Hosting.Telemetry;
using KerberosMessaging.Hosting.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KerberosMessaging.Hosting.Startup;

/// <summary>What both servers set before their configuration is read.</summary>
public static class ServerDefaults
{
    // After the connections' grace: their farewells, and the last writes to disk. With the default grace all of it is less than the ten
    // seconds after which container engines kill.
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(4);

    /// <summary>
    /// Sets default ports, the data folder and quiet one-line logs, all of which configuration overrides, and makes
    /// Kestrel listen on the wire port and the admin port.
    /// </summary>
    /// <param name="builder">The server being built.</param>
    /// <param name="folder">The default folder below <c>data</c>.</param>
    /// <param name="wirePort">The default wire port.</param>
    /// <param name="adminPort">The default admin port.</param>
    /// <param name="args">The command line; an argument that is no option of this server is refused.</param>
    /// <param name="sections">The server's own sections of options.</param>
    /// <exception cref="StartupException">An argument is wrong.</exception>
    public static void AddServerDefaults(
        this WebApplicationBuilder builder,
        string folder,
        int wirePort,
        int adminPort,
        string[] args,
        params ReadOnlySpan<(string Section, Type Options)> sections)
    {
        ServerArguments.Check(args, sections);
        SecretFiles.Add(builder.Configuration);
        builder.Services.AddSingleton(new ServerOptions(OptionSections.With(sections)));

        // Below every other source: sources that come later override earlier ones.
        builder.Configuration.Sources.Insert(0, new Microsoft.Extensions.Configuration.Memory.MemoryConfigurationSource
        {
            InitialData = new Dictionary<string, string?>
            {
                ["Wire:Port"] = $"{wirePort}",
                ["Admin:Port"] = $"{adminPort}",
                ["Data:Directory"] = Path.Combine("data", folder),
                ["Logging:LogLevel:Default"] = "Information",
                ["Logging:LogLevel:Microsoft"] = "Warning",
                ["Logging:LogLevel:System.Net.Http"] = "Warning",

                // At Error the host only logs, with its whole trace, why a start failed, and that is told in one line.
                ["Logging:LogLevel:Microsoft.Extensions.Hosting.Internal.Host"] = "Critical",

                // Would be told anew with each look; health, figures and alerts tell it once.
                ["Logging:LogLevel:Microsoft.Extensions.Diagnostics.HealthChecks"] = "Critical",

                // What a database refuses is told by who asked it.
                ["Logging:LogLevel:Microsoft.EntityFrameworkCore"] = "Critical",
            },
        });
        builder.AddLogs();
        builder.AddTelemetry($"kmsg-{folder}-server");
        builder.Services.AddOptions<HostOptions>().Configure<IConfiguration>(
            static (host, configuration) => host.ShutdownTimeout = DrainGrace(configuration) + StopTime);
        builder.Services.AddOptions<AdminOptions>().PostConfigure<Microsoft.Extensions.Options.IOptions<DataOptions>>(
            static (admin, data) =>
            {
                if (string.IsNullOrWhiteSpace(admin.TokenHashFile))
                {
                    admin.TokenHashFile = data.Value.PathOf("admin-token.hash");
                }
            });

        // What a socket's completion starts goes on at once on the same thread of the pool: from the bytes to the handler and from
        // the reply to the socket without three changes of thread. Unsafe where application code blocks; ours does not.
        builder.WebHost.UseSockets(static sockets => sockets.UnsafePreferInlineScheduling = true);
        builder.WebHost.ConfigureKestrel(static kestrel =>
        {
            kestrel.ListenWire();
            AdminListener.ListenAdmin(kestrel);
        });
    }

    // Not from the options: those are checked later, all together. What is wrong here is named then.
    private static TimeSpan DrainGrace(IConfiguration configuration) => TimeSpan.FromSeconds(
        int.TryParse(
            configuration[$"{WireOptions.SectionName}:{nameof(WireOptions.DrainGraceSeconds)}"],
            NumberStyles.None,
            CultureInfo.InvariantCulture,
            out var seconds)
            ? seconds
            : WireOptions.DefaultDrainGraceSeconds);
}
