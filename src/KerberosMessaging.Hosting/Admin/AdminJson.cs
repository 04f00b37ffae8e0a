using System.Text.Json;
using System.Text.Json.Serialization;

namespace KerberosMessaging.Hosting.Admin;

/// <summary>How the admin API writes and reads JSON.</summary>
internal static class AdminJson
{
    public static void Configure(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.CamelCase;
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false));
        options.Converters.Add(new UtcTimeConverter());

        // A record that was read holds what its type promises: no null where the type says there is none.
        options.RespectNullableAnnotations = true;
        options.RespectRequiredConstructorParameters = true;
    }
}
