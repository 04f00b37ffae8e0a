using System.Net;
using System.Reflection;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Startup;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Tests.Admin;

/// <summary>Admins see how the server is configured, and no secret of it.</summary>
public sealed class ConfigEndpointTests : IDisposable
{
    private const string Secret = "NobodyMayReadThis";

    // How texts end that are no secrets: names of files and folders, addresses, and choices among words. Whatever ends otherwise must be redacted.
    private static readonly string[] Harmless = ["File", "Folder", "Directory", "Address", "Endpoint", "Protocol", "Format", "Networks"];

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task No_secret_of_any_option_is_shown()
    {
        await using var server = await StartAsync();

        var config = await server.CallAsync(HttpMethod.Get, "/config", HttpStatusCode.OK);

        Assert.DoesNotContain(Secret, config.GetRawText(), StringComparison.Ordinal);
        var shown = config.GetProperty("options").EnumerateArray()
            .ToDictionary(static option => option.GetProperty("name").GetString()!, static option => option.GetProperty("value").GetString());
        var secrets = Texts().Where(static option => !IsHarmless(option.Property)).Select(static option => option.Name).ToArray();
        Assert.Contains("Data:MasterKey", secrets);
        Assert.All(secrets, name => Assert.Equal("[redacted]", shown[name]));
        Assert.Equal("[redacted]", shown["Telemetry:OtlpEndpoint"]);
        Assert.Equal("a-file", shown["Backup:KeyFile"]);
    }

    [Fact]
    public async Task Every_option_is_shown_and_whether_somebody_chose_it()
    {
        await using var server = await StartAsync(("Wire:PingAfterSeconds", "77"));

        var options = (await server.CallAsync(HttpMethod.Get, "/config", HttpStatusCode.OK)).GetProperty("options").EnumerateArray().ToArray();

        Assert.Equal(
            OptionSections.With().SelectMany(static section => OptionSections.Properties(section.Options).Select(property => $"{section.Section}:{property.Name}"))
                .Order(StringComparer.Ordinal),
            options.Select(static option => option.GetProperty("name").GetString()!).Order(StringComparer.Ordinal));
        Assert.True(options.Single(static option => option.GetProperty("name").GetString() == "Wire:Port").GetProperty("isDefault").GetBoolean());
        var token = await server.CallAsync(
            HttpMethod.Post, "/tokens", HttpStatusCode.Created, new { name = "one", scopes = new[] { "metrics:read", "clients:read" } });
        await server.CallAsync(HttpMethod.Get, "/config", HttpStatusCode.Forbidden, token: token.GetProperty("token").GetString());
    }

    private Task<AdminServer> StartAsync(params (string Key, string Value)[] settings) => AdminServer.StartSharedAsync(
        _folder,
        new MemoryStore(),
        TimeProvider.System,
        static services =>
        {
            // As they are read: most of these values would not pass the checks at start.
            foreach (var type in Texts().Select(static option => option.Options).Where(static type => type != typeof(AdminOptions)).Distinct())
            {
                var options = Activator.CreateInstance(type)!;
                foreach (var (_, _, property) in Texts().Where(option => option.Options == type))
                {
                    property.SetValue(options, IsHarmless(property) ? Harm(property) : Secret);
                }

                services.AddSingleton(
                    typeof(IOptions<>).MakeGenericType(type),
                    Activator.CreateInstance(typeof(OptionsWrapper<>).MakeGenericType(type), options)!);
            }
        },
        settings);

    private static string Harm(PropertyInfo property) =>
        property.Name.EndsWith("Endpoint", StringComparison.Ordinal) ? $"https://name:{Secret}@collector:4317" : "a-file";

    private static bool IsHarmless(PropertyInfo property) => Harmless.Any(ending => property.Name.EndsWith(ending, StringComparison.Ordinal));

    private static IEnumerable<(string Name, Type Options, PropertyInfo Property)> Texts() =>
        from section in OptionSections.With()
        from property in OptionSections.Properties(section.Options)
        where property.PropertyType == typeof(string)
        select ($"{section.Section}:{property.Name}", section.Options, property);
}
