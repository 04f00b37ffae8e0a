using KerberosMessaging.AuthServer.Admin;
using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.AuthServer.Requests;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.Protocol.Messages;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.AuthServer;

/// <summary>Builds the auth server. The stack and the tests run it in their own process.</summary>
public static class AuthServerApp
{
    /// <summary>Builds the server: keys made or opened, migrations applied, ready to start.</summary>
    /// <param name="args">Command-line configuration, such as <c>--Wire:Port=1256</c>.</param>
    /// <param name="configure">Changes the builder before it builds.</param>
    /// <exception cref="StartupException">It cannot start as configured.</exception>
    /// <exception cref="OptionsValidationException">An option is wrong; several are an <see cref="AggregateException"/> of these.</exception>
    public static async Task<WebApplication> BuildAsync(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            Args = args,
            ContentRootPath = AppContext.BaseDirectory,
            ApplicationName = typeof(AuthServerApp).Assembly.GetName().Name,
        });
        builder.AddServerDefaults("auth", wirePort: 1256, adminPort: 8081, args, (AuthOptions.SectionName, typeof(AuthOptions)));
        configure?.Invoke(builder);
        var data = builder.AddDataDirectory("kmsg auth server");
        builder.AddAdminApi(
            "Auth server", "Clients, sessions and message servers of a realm.", typeof(AuthServerApp).Assembly);
        AddServices(builder.Services, data);

        var app = builder.Build();
        try
        {
            // The host would do this at its start, but wrong options should not leave keys behind.
            app.Services.GetRequiredService<IStartupValidator>().Validate();
            await PrepareAsync(app);
            MapAdmin(app.UseAdminApi());
            app.Services.GetRequiredService<ReadinessState>().SetReady();
            return app;
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    /// <summary>The realm's fingerprint: SHA-256 of its public key, 64 hexadecimal digits, which clients pin.</summary>
    /// <param name="app">A built auth server.</param>
    public static string RealmFingerprint(WebApplication app) => app.Services.GetRequiredService<RealmKeys>().Fingerprint;

    /// <summary>Makes a one-time token with which a message server can enrol.</summary>
    /// <param name="app">A built auth server.</param>
    public static async Task<string> CreateEnrolmentTokenAsync(WebApplication app)
    {
        await using var scope = app.Services.CreateAsyncScope();
        var (token, _) = await scope.ServiceProvider.GetRequiredService<EnrolmentTokens>().CreateAsync(CancellationToken.None);
        return token;
    }

    private static void AddServices(IServiceCollection services, DataOptions data)
    {
        services.AddOptions<AuthOptions>().BindConfiguration(AuthOptions.SectionName).ValidateOnStart();
        services.AddSingleton<IValidateOptions<AuthOptions>, AuthOptionsValidator>();
        services.AddValidation();
        services.AddWire();
        services.AddDbContext<AuthDbContext>(options => options
            .UseSqlite($"Data Source={data.PathOf("auth.db")}")
            .AddInterceptors(new SqlitePragmas())

            // A broken unique index is an answer, not an error: whoever does not expect a failure logs it where it is caught.
            .ConfigureWarnings(static warnings => warnings.Log(
                (RelationalEventId.CommandError, LogLevel.Debug),
                (CoreEventId.SaveChangesFailed, LogLevel.Debug))));
        services.AddSingleton<RealmKeysHolder>();
        services.AddSingleton(static provider => provider.GetRequiredService<RealmKeysHolder>().Keys);
        services.AddSingleton<MessageServers>();
        services.AddScoped<EnrolmentTokens>();
        services.AddScoped<RegistrationService>();
        services.AddScoped<LoginService>();
        services.AddScoped<TicketService>();
        services.AddScoped<ClientDirectory>();

        services.AddRequest<RegisterClientRequest, RegisterClientHandler>(RequestAccess.Anyone);
        services.AddRequest<FinishRegistrationRequest, FinishRegistrationHandler>(RequestAccess.Anyone);
        services.AddRequest<RegisterServerRequest, RegisterServerHandler>(RequestAccess.Anyone);
        services.AddRequest<StartLoginRequest, StartLoginHandler>(RequestAccess.Anyone);
        services.AddRequest<FinishLoginRequest, FinishLoginHandler>(RequestAccess.Anyone);
        services.AddRequest<ServiceTicketRequest, ServiceTicketHandler>(RequestAccess.Anyone);
        services.AddRequest<RenewTicketRequest, RenewTicketHandler>(RequestAccess.Anyone);
        services.AddRequest<PresentTicketRequest, PresentTicketHandler>(RequestAccess.Anyone);
        services.AddRequest<ListServersRequest, ListServersHandler>(RequestAccess.SignedIn);
        services.AddRequest<LookUpClientRequest, LookUpClientHandler>(RequestAccess.SignedIn);
        services.AddRequest<LogoutRequest, LogoutHandler>(RequestAccess.SignedIn);
    }

    private static async Task PrepareAsync(WebApplication app)
    {
        await using var scope = app.Services.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<AuthDbContext>();
        await database.Database.MigrateAsync();
        var keys = await RealmKeys.LoadOrCreateAsync(
            database,
            scope.ServiceProvider.GetRequiredService<IDataProtectionProvider>(),
            scope.ServiceProvider.GetRequiredService<TimeProvider>());
        app.Services.GetRequiredService<RealmKeysHolder>().Keys = keys;
        await app.Services.GetRequiredService<MessageServers>().LoadAsync(database);
        app.Services.GetRequiredService<ServerIdentity>().Set(keys.Server, keys.Signing);
    }

    private static void MapAdmin(RouteGroupBuilder admin)
    {
        admin.MapGet("/clients", ClientEndpoints.ListAsync).WithTags("Clients");
        admin.MapGet("/sessions", SessionEndpoints.ListAsync).WithTags("Sessions");
        admin.MapGet("/servers", ServerEndpoints.ListAsync).WithTags("Message servers");
        admin.MapPost("/enrolment-tokens", ServerEndpoints.CreateEnrolmentTokenAsync).WithTags("Message servers");
    }

    /// <summary>The keys are in the database, which is migrated only after the services are built.</summary>
    private sealed class RealmKeysHolder
    {
        private RealmKeys? _keys;

        public RealmKeys Keys
        {
            get => _keys ?? throw new InvalidOperationException("The realm keys are not loaded yet.");
            set => _keys = value;
        }
    }
}
