using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace KerberosMessaging.Hosting.Admin;

/// <summary>
/// Documents a type as the JSON reader and the validation treat it: what is required, value types among it, and what a
/// record says on its constructor's parameters, where the generator of the document does not look.
/// </summary>
internal sealed class DocumentedSchemaFilter(IOptions<JsonOptions> options) : ISchemaFilter
{
    public void Apply(IOpenApiSchema schema, SchemaFilterContext context)
    {
        if (schema is not OpenApiSchema { Properties: { Count: > 0 } properties } target)
        {
            return;
        }

        var json = options.Value.SerializerOptions;
        foreach (var property in json.GetTypeInfo(context.Type).Properties.Where(property => properties.ContainsKey(property.Name)))
        {
            if (property.IsRequired)
            {
                target.Required ??= new HashSet<string>();
                target.Required.Add(property.Name);
            }

            if (properties[property.Name] is OpenApiSchema value && property.AssociatedParameter is { } parameter)
            {
                Describe(value, parameter, json);
            }
        }
    }

    private static void Describe(OpenApiSchema value, JsonParameterInfo parameter, JsonSerializerOptions json)
    {
        if (parameter.AttributeProvider?.GetCustomAttributes(inherit: true) is { } attributes)
        {
            value.ApplyValidationAttributes(attributes);
        }

        if (parameter is { HasDefaultValue: true, DefaultValue: { } defaultValue })
        {
            value.Default ??= JsonSerializer.SerializeToNode(defaultValue, parameter.ParameterType, json);
        }
    }
}
