using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace KerberosMessaging.Hosting.Admin;

/// <summary>Documents what the pipeline does to every operation: who needs the token, and which errors come of themselves.</summary>
internal sealed class AdminOperationFilter : IOperationFilter
{
    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        operation.Responses ??= [];

        if (operation.RequestBody is not null || operation.Parameters is { Count: > 0 })
        {
            AddProblem(operation.Responses, "400", "The request is malformed; `errors` names the fields.", typeof(HttpValidationProblemDetails), context);
        }

        // Everything that does not say otherwise needs the token: so does the fallback policy.
        if (context.ApiDescription.ActionDescriptor.EndpointMetadata.OfType<IAllowAnonymous>().Any())
        {
            return;
        }

        AddProblem(operation.Responses, "401", "The admin token is missing or wrong.", typeof(ProblemDetails), context);

        // Without the document the reference resolves to nothing, and the documentation would send no token.
        operation.Security =
        [
            new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(AdminApi.Scheme, context.Document)] = [] },
        ];
    }

    // An operation that describes the response itself knows better.
    private static void AddProblem(
        OpenApiResponses responses, string status, string description, Type body, OperationFilterContext context) =>
        responses.TryAdd(status, new OpenApiResponse
        {
            Description = description,
            Content = new Dictionary<string, IOpenApiMediaType>
            {
                ["application/problem+json"] = new OpenApiMediaType
                {
                    Schema = context.SchemaGenerator.GenerateSchema(body, context.SchemaRepository),
                },
            },
        });
}
