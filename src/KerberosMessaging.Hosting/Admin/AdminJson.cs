using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

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

        // A misspelt name is told, not ignored; the documentation says so too (additionalProperties is false).
        options.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        options.TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { LetNullableBeAbsent } };
    }

    // Without this a nullable parameter would be required, unless it also had a default value.
    private static void LetNullableBeAbsent(JsonTypeInfo type)
    {
        foreach (var property in type.Properties)
        {
            property.IsRequired &= !property.IsSetNullable;
        }
    }
}
