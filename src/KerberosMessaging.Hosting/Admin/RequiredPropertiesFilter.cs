using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace KerberosMessaging.Hosting.Admin;

/// <summary>
/// Marks as required what the JSON reader insists on and the writer always writes: constructor parameters that can be
/// neither null nor left to a default, value types among them.
/// </summary>
internal sealed class RequiredPropertiesFilter(IOptions<JsonOptions> options) : ISchemaFilter
{
    public void Apply(IOpenApiSchema schema, SchemaFilterContext context)
    {
        if (schema is not OpenApiSchema { Properties: { Count: > 0 } properties } target)
        {
            return;
        }

        target.Required ??= new HashSet<string>();
        foreach (var property in options.Value.SerializerOptions.GetTypeInfo(context.Type).Properties.Where(static property => property.IsRequired))
        {
            if (properties.ContainsKey(property.Name))
            {
                target.Required.Add(property.Name);
            }
        }
    }
}
