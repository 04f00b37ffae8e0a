using System.Reflection;
using KerberosMessaging.Hosting.Admin.Access;
using KerberosMessaging.Hosting.Admin.Jobs;
using KerberosMessaging.Hosting.Health;
using KerberosMessaging.Hosting.Logs;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace KerberosMessaging.Hosting.Admin;

/// <summary>The admin API both servers share: one token, problem details for every error, Swagger, health.</summary>
public static class AdminApi
{
    /// <summary>The path every protected operation is below.</summary>
    public const string BasePath = "/admin/v1";

    /// <summary>The authentication scheme of the admin token.</summary>
    public const string Scheme = "Bearer";

    private const string DocumentName = "v1";
    private const string DocumentAlias = "/openapi.json";

    /// <summary>
    /// Adds everything <see cref="UseAdminApi"/> needs. The server itself still calls <c>AddValidation()</c>, because that
    /// is generated for the endpoints of the assembly it is called in, and <see cref="AdminListener.ListenAdmin"/> where it
    /// configures Kestrel.
    /// </summary>
    /// <param name="builder">The server being built.</param>
    /// <param name="title">The title of the API's documentation.</param>
    /// <param name="description">What the API is for, as Markdown.</param>
    /// <param name="documentedAssembly">The assembly whose XML documentation describes the operations.</param>
    /// <returns>The same builder.</returns>
    public static WebApplicationBuilder AddAdminApi(
        this WebApplicationBuilder builder, string title, string description, Assembly documentedAssembly)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(documentedAssembly);

        var services = builder.Services;
        services.AddOptions<AdminOptions>().BindConfiguration(AdminOptions.SectionName).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<AdminOptions>, AdminOptionsValidator>());
        services.TryAddSingleton(static provider =>
            AdminToken.LoadOrCreate(provider.GetRequiredService<IOptions<AdminOptions>>().Value));
        services.TryAddSingleton<AdminListener>();
        services.TryAddSingleton<AdminCertificate>();
        services.AddHostedService(static provider => provider.GetRequiredService<AdminCertificate>());
        services.TryAddSingleton<ReadinessState>();

        // What AddAuthentication does, without Data Protection: a token needs none, and unless the server set it up, it would
        // leave its keys in the home directory.
        services.AddAuthenticationCore(static authentication => authentication.DefaultScheme = Scheme);
        services.AddWebEncoders();
        services.TryAddSingleton(TimeProvider.System);
        new AuthenticationBuilder(services).AddScheme<AuthenticationSchemeOptions, AdminTokenHandler>(Scheme, configureOptions: null);

        ScopePolicies.Add(services.AddAuthorizationBuilder());
        services.TryAddSingleton<AdminTokens>();
        services.TryAddSingleton<FailedAuthentications>();
        services.AddHostedService(static provider => provider.GetRequiredService<AdminTokens>());
        services.TryAddSingleton<AdminJobs>();
        services.AddHostedService(static provider => provider.GetRequiredService<AdminJobs>());

        services.TryAddEnumerable(ServiceDescriptor.Singleton<IProblemDetailsWriter, AdminProblemWriter>());
        services.AddProblemDetails();
        services.AddValidation();
        services.AddHealthReports();
        builder.AddLogLevelOverrides();

        // Swashbuckle reads the options of MVC, the endpoints those of minimal APIs: both must say the same.
        services.ConfigureHttpJsonOptions(static json => AdminJson.Configure(json.SerializerOptions));
        services.Configure<Microsoft.AspNetCore.Mvc.JsonOptions>(static json => AdminJson.Configure(json.JsonSerializerOptions));

        // Bad input reaches the exception handler in every environment, which then names the field that is wrong.
        services.PostConfigure<RouteHandlerOptions>(static routes => routes.ThrowOnBadRequest = true);

        services.AddEndpointsApiExplorer();
        services.AddSwaggerGen(swagger =>
        {
            swagger.SwaggerDoc(DocumentName, new OpenApiInfo { Title = title, Description = description, Version = DocumentName });
            swagger.SupportNonNullableReferenceTypes();
            swagger.AddSecurityDefinition(Scheme, new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                Description = "The admin token: printed once when the server first starts, or the content of the configured token file.",
            });
            swagger.OperationFilter<AdminOperationFilter>();
            swagger.DocumentFilter<TagDescriptionFilter>();
            swagger.SchemaFilter<DocumentedSchemaFilter>();
            foreach (var assembly in new HashSet<Assembly> { documentedAssembly, typeof(AdminApi).Assembly })
            {
                // A server published without the file still serves its operations, only without their descriptions.
                var path = Path.Combine(AppContext.BaseDirectory, $"{assembly.GetName().Name}.xml");
                if (File.Exists(path))
                {
                    swagger.IncludeXmlComments(path);
                }
            }
        });

        return builder;
    }

    /// <summary>
    /// Puts the middleware in place, maps health and documentation, and loads or makes the token, so that a wrong token
    /// file stops the server here.
    /// </summary>
    /// <param name="app">The server being built.</param>
    /// <returns>The group <see cref="BasePath"/>, whose operations each say which scope they need.</returns>
    /// <exception cref="AdminTokenException">The token cannot be used as configured.</exception>
    public static RouteGroupBuilder UseAdminApi(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);

        app.Services.GetRequiredService<AdminToken>();
        var readiness = app.Services.GetRequiredService<ReadinessState>();
        app.Lifetime.ApplicationStopping.Register(readiness.SetDraining);

        app.Use(SecurityHeaders.AddAsync);
        app.Use(LogServices.CorrelateAsync);
        app.UseExceptionHandler(new ExceptionHandlerOptions
        {
            ExceptionHandler = AdminProblems.WriteForExceptionAsync,

            // A malformed request is the client's mistake; errors in the log are ours.
            SuppressDiagnosticsCallback = static context => context.Exception is BadHttpRequestException,
        });
        app.UseStatusCodePages(AdminProblems.WriteForStatusAsync);

        // Documentation comes before authorisation: it holds nothing secret, and a browser cannot send the token for it.
        app.Use(static (context, next) =>
        {
            // Where tools look for the document.
            if (context.Request.Path == DocumentAlias)
            {
                context.Request.Path = $"/swagger/{DocumentName}/swagger.json";
            }

            return next(context);
        });
        app.UseSwagger(static swagger => swagger.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1);
        var title = app.Services.GetRequiredService<IOptions<SwaggerGeneratorOptions>>().Value.SwaggerDocs[DocumentName].Title ?? "Admin API";
        app.UseSwaggerUI(ui =>
        {
            // No interceptors here: the page would build functions from text, which the content policy forbids.
            ui.RoutePrefix = "swagger";
            ui.SwaggerEndpoint($"{DocumentName}/swagger.json", title);
            ui.DocumentTitle = title;
            ui.EnableDeepLinking();
            ui.DisplayRequestDuration();
            ui.EnableTryItOutByDefault();
        });

        app.UseRouting();
        app.UseAuthentication();
        app.UseAuthorization();

        StatusPage.Map(app, title);
        HealthEndpoints.Map(app);
        return app.MapGroup(BasePath);
    }
}
