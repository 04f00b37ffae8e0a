using System.Collections;
using System.Globalization;
using System.Reflection;
using KerberosMessaging.Hosting.Admin.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Admin;

/// <summary>One option as the server goes by it.</summary>
/// <param name="Name" example="Wire:Port">Its section and its name, as it is configured.</param>
/// <param name="Value" example="1256">Its value; a secret is `[redacted]`, null is an option without one.</param>
/// <param name="IsDefault" example="true">Whether nobody configured it.</param>
public sealed record OptionView(string Name, string? Value, bool IsDefault);

/// <summary>The configuration as the server goes by it.</summary>
/// <param name="Options">Every option of every section.</param>
public sealed record ConfigView(IReadOnlyList<OptionView> Options);

/// <summary>Shows the effective configuration.</summary>
public static class ConfigEndpoints
{
    private const string Redacted = "[redacted]";

    // Of an option that holds a secret itself; one that names a file ends otherwise.
    private static readonly string[] SecretEndings = ["Key", "Token", "Secret", "Password", "Headers"];

    /// <summary>Adds the operations to a server's admin API.</summary>
    /// <param name="admin">The protected group.</param>
    public static void MapConfig(this RouteGroupBuilder admin) =>
        admin.MapGet("/config", Show).WithTags("Configuration").RequireScope(AdminScope.Ops);

    /// <summary>Shows the effective configuration</summary>
    /// <remarks>Every option with the value that the server goes by, wherever it comes from. Secrets are redacted.</remarks>
    private static Ok<ConfigView> Show(ServerOptions sections, IConfiguration configuration, HttpContext context) => TypedResults.Ok(
        new ConfigView([.. sections.All.SelectMany(section => Read(section.Section, section.Options, configuration, context.RequestServices))]));

    private static IEnumerable<OptionView> Read(string section, Type type, IConfiguration configuration, IServiceProvider services)
    {
        var options = services.GetRequiredService(typeof(IOptions<>).MakeGenericType(type));
        var value = options.GetType().GetProperty(nameof(IOptions<object>.Value))!.GetValue(options);
        return type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(static property => property.CanWrite)
            .OrderBy(static property => property.Name, StringComparer.Ordinal)
            .Select(property => new OptionView(
                $"{section}:{property.Name}",
                Text(property, property.GetValue(value)),
                !IsConfigured(configuration, $"{section}:{property.Name}")));
    }

    private static string? Text(PropertyInfo property, object? value) => value switch
    {
        null or "" => null,
        _ when property.PropertyType == typeof(string)
            && SecretEndings.Any(ending => property.Name.EndsWith(ending, StringComparison.Ordinal)) => Redacted,

        // An address may carry a password: https://name:password@host.
        string text when Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.UserInfo.Length > 0 => Redacted,
        IEnumerable items and not string => string.Join(", ", items.Cast<object?>().Select(static item => Convert.ToString(item, CultureInfo.InvariantCulture))),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture),
    };

    // The first source holds the server's own defaults.
    private static bool IsConfigured(IConfiguration configuration, string key) =>
        configuration is IConfigurationRoot root
        && root.Providers.Skip(1).Any(provider => provider.TryGet(key, out _) || provider.GetChildKeys([], key).Any());
}
