using System.Globalization;
using System.Text.Json.Nodes;
using KerberosMessaging.Hosting.Admin.Access;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace KerberosMessaging.Hosting.Admin;

/// <summary>Documents what the pipeline does to every operation: who needs the token, and which errors come of themselves.</summary>
internal sealed class AdminOperationFilter : IOperationFilter
{
    private const string ScopeExtension = "x-scope";
    private const string ProblemType = "application/problem+json";

    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        operation.Responses ??= [];

        // A path that does not fit its route's constraints is a 404.
        if (operation.RequestBody is not null || operation.Parameters?.Any(static parameter => parameter.In == ParameterLocation.Query) == true)
        {
            Add(operation.Responses, StatusCodes.Status400BadRequest, "The request is malformed; `errors` names the fields.");
        }

        // Everything that does not say otherwise needs the token: so does the fallback policy.
        if (!context.ApiDescription.ActionDescriptor.EndpointMetadata.OfType<IAllowAnonymous>().Any())
        {
            Add(operation.Responses, StatusCodes.Status401Unauthorized, "The admin token is missing or wrong.");
            Authorize(operation, context);
            AddRateLimit(operation.Responses);
        }

        if (operation.Parameters?.Any(static parameter => parameter.Name == "If-Match") == true)
        {
            Add(operation.Responses, StatusCodes.Status412PreconditionFailed, "It was changed since it was read: `If-Match` names another state.");
        }

        foreach (var (key, response) in operation.Responses)
        {
            // A key may also be "default" or "4XX".
            if (!int.TryParse(key, CultureInfo.InvariantCulture, out var status) || status < StatusCodes.Status400BadRequest)
            {
                continue;
            }

            if (response is OpenApiResponse { Content: null or { Count: 0 } } error)
            {
                error.Content = Problem(status, context);
            }

            // Without an example the page shows one made of "string" and "additionalProp1".
            if (response.Content?.TryGetValue(ProblemType, out var media) == true
                && media is OpenApiMediaType { Example: null } problem)
            {
                problem.Example = Example(status, operation);
            }
        }
    }

    private static void Authorize(OpenApiOperation operation, OperationFilterContext context)
    {
        var scopes = context.ApiDescription.ActionDescriptor.EndpointMetadata.OfType<RequiredScope>()
            .Select(static required => required.Scope)
            .OfType<AdminScope>()
            .Select(AdminScopes.NameOf)
            .Distinct()
            .ToList();
        if (scopes.Count > 0)
        {
            var names = string.Join(" ", scopes);
            Add(operation.Responses!, StatusCodes.Status403Forbidden, $"The token lacks the scope `{names}`.");
            operation.AddExtension(ScopeExtension, new JsonNodeExtension(names));
        }

        // Without the document the reference resolves to nothing, and the documentation would send no token.
        operation.Security =
        [
            new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(AdminApi.Scheme, context.Document)] = scopes },
        ];
    }

    // Whoever sends too many wrong tokens is not looked at.
    private static void AddRateLimit(OpenApiResponses responses) => responses.TryAdd(
        StatusCodes.Status429TooManyRequests.ToString(CultureInfo.InvariantCulture),
        new OpenApiResponse
        {
            Description = "Too many wrong admin tokens came from this address.",
            Headers = new Dictionary<string, IOpenApiHeader>
            {
                [HeaderNames.RetryAfter] = new OpenApiHeader
                {
                    Description = "In how many seconds a token from there is looked at again.",
                    Schema = new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int32" },
                    Example = 6,
                },
            },
        });

    // Where the operation has the response already, but under the bare name of its status, this text says more.
    private static void Add(OpenApiResponses responses, int status, string description)
    {
        var key = status.ToString(CultureInfo.InvariantCulture);
        if (!responses.TryGetValue(key, out var response))
        {
            responses.Add(key, new OpenApiResponse { Description = description });
        }
        else if (response.Description == ReasonPhrases.GetReasonPhrase(status))
        {
            response.Description = description;
        }
    }

    private static Dictionary<string, IOpenApiMediaType> Problem(int status, OperationFilterContext context)
    {
        var type = status == StatusCodes.Status400BadRequest ? typeof(HttpValidationProblemDetails) : typeof(ProblemDetails);
        return new()
        {
            [ProblemType] = new OpenApiMediaType
            {
                Schema = context.SchemaGenerator.GenerateSchema(type, context.SchemaRepository),
            },
        };
    }

    private static JsonObject Example(int status, OpenApiOperation operation)
    {
        var example = new JsonObject { ["title"] = ReasonPhrases.GetReasonPhrase(status), ["status"] = status, ["code"] = ProblemCodes.Of(status) };
        if (status == StatusCodes.Status400BadRequest)
        {
            example["title"] = "One or more validation errors occurred.";
            example["errors"] = operation.Parameters?.Any(static parameter => parameter.Name == "limit") == true
                ? new JsonObject { ["limit"] = new JsonArray("The limit must be between 1 and 200.") }
                : new JsonObject { ["name"] = new JsonArray("A value is required.") };
        }

        return example;
    }
}
