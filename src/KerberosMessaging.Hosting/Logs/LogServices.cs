using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Logs;

/// <summary>Sets up the log.</summary>
internal static class LogServices
{
    /// <summary>Replaces the framework's log by one with lines of ours.</summary>
    public static void AddLogs(this WebApplicationBuilder builder)
    {
        builder.Services.AddOptions<LogOptions>().BindConfiguration(LogOptions.SectionName).ValidateOnStart();
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<LogOptions>, LogOptionsValidator>());
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Logging.ClearProviders();
        builder.Logging.AddConsole();
        builder.Logging.AddConsoleFormatter<TextLogFormatter, ConsoleFormatterOptions>();
        builder.Logging.AddConsoleFormatter<JsonLogFormatter, ConsoleFormatterOptions>();
        builder.Services.AddOptions<ConsoleLoggerOptions>().Configure<IConfiguration>(static (console, configuration) =>
            console.FormatterName = configuration[$"{LogOptions.SectionName}:{nameof(LogOptions.Format)}"] == "json"
                ? JsonLogFormatter.FormatName
                : TextLogFormatter.FormatName);
    }

    /// <summary>Adds levels that an admin sets.</summary>
    public static void AddLogLevelOverrides(this WebApplicationBuilder builder)
    {
        var source = new LogLevelSource();
        builder.Configuration.Sources.Add(source);
        builder.Services.AddSingleton(source);
        builder.Services.TryAddSingleton<LogLevelOverrides>();
    }

    /// <summary>Lets every line of an admin request bear the id that the audit log knows it by.</summary>
    public static async Task CorrelateAsync(HttpContext context, RequestDelegate next)
    {
        var logger = context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(LogServices));
        using (logger.BeginScope(LogCorrelation.OfRequest(context.TraceIdentifier)))
        {
            await next(context);
        }
    }
}
