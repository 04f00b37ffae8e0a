using KerberosMessaging.AuthServer.Admin;
using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Domain.Transparency;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.AuthServer.Requests;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Admin.Access;
using KerberosMessaging.Hosting.Admin.Jobs;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Hosting.Backup;
using KerberosMessaging.Hosting.Health;
using KerberosMessaging.Hosting.Logs;
using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.Hosting.Startup.Commands;
using KerberosMessaging.Hosting.Telemetry;
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
    internal static readonly (string Section, Type Options)[] Sections =
    [
        (AuthOptions.SectionName, typeof(AuthOptions)),
        (LockoutOptions.SectionName, typeof(LockoutOptions)),
        (KeyOptions.SectionName, typeof(KeyOptions)),
    ];

    /// <summary>The server as its program's commands see it.</summary>
    public static ServerDefinition Definition { get; } = new() { Name = "auth server", Configure = CreateBuilder, Data = new AuthData() };

    /// <summary>Builds the server: keys made or opened, migrations applied, ready to start.</summary>
    /// <param name="args">Command-line configuration, such as <c>--Wire:Port=1256</c>.</param>
    /// <param name="configure">Changes the builder before it builds.</param>
    /// <exception cref="StartupException">It cannot start as configured.</exception>
    /// <exception cref="OptionsValidationException">Options are wrong; all of them are named.</exception>
    public static async Task<WebApplication> BuildAsync(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = CreateBuilder(args);
        configure?.Invoke(builder);
        builder.CheckConfiguration(Sections);
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
            app.MapMetrics();
            app.Services.GetRequiredService<AuthFigures>();
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
        var life = app.Services.GetRequiredService<IOptions<AuthOptions>>().Value.EnrolmentTokenLife;
        var made = await app.Services.GetRequiredService<OneTimeTokens>()
            .MakeEnrolmentAsync(server: null, life, Origin.System, CancellationToken.None);
        return made.Token;
    }

    private static WebApplicationBuilder CreateBuilder(string[] args)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            Args = args,
            ContentRootPath = AppContext.BaseDirectory,
            ApplicationName = typeof(AuthServerApp).Assembly.GetName().Name,
        });
        builder.AddServerDefaults("auth", wirePort: 1256, adminPort: 8081, args, Sections);
        return builder;
    }

    private static void AddServices(IServiceCollection services, DataOptions data)
    {
        services.AddOptions<AuthOptions>().BindConfiguration(AuthOptions.SectionName).ValidateOnStart();
        services.AddSingleton<IValidateOptions<AuthOptions>, AuthOptionsValidator>();
        services.AddOptions<LockoutOptions>().BindConfiguration(LockoutOptions.SectionName).ValidateOnStart();
        services.AddSingleton<IValidateOptions<LockoutOptions>, LockoutOptionsValidator>();
        services.AddOptions<KeyOptions>().BindConfiguration(KeyOptions.SectionName).ValidateOnStart();
        services.AddSingleton<IValidateOptions<KeyOptions>, KeyOptionsValidator>();
        services.AddValidation();
        services.AddWire();
        services.AddBackups(Definition.Data);
        AddPersistence(services, data);
        services.AddServerHealth<AuthDatabaseProbe>().AddCheck<KeyAgeCheck>("keys");

        services.AddSingleton<RealmKeysHolder>();
        services.AddSingleton(static provider => provider.GetRequiredService<RealmKeysHolder>().Keys);
        services.AddSingleton(static provider => new AuditChain(provider.GetRequiredService<RealmKeys>().Audit));
        services.AddSingleton<RevocationLog>();
        services.AddSingleton<MessageServers>();
        services.AddSingleton<OneTimeTokens>();
        services.AddSingleton<LoginGuard>();
        services.AddSingleton<TicketService>();
        services.AddSingleton<KeyRotation>();
        services.AddSingleton<RevokedConnections>();
        services.AddScoped<RegistrationService>();
        services.AddScoped<LoginService>();
        services.AddScoped<PasswordService>();
        services.AddScoped<DeviceService>();
        services.AddScoped<ClientDirectory>();
        services.AddScoped<ClientAdministration>();
        services.AddSingleton<SessionAdministration>();
        services.AddSingleton<RealmStatistics>();
        services.AddScoped<IAuditStore, AuditStore>();
        services.AddScoped<AuditLog>();
        services.AddScoped<TransparencyLog>();
        services.AddSingleton<Housekeeping>();
        services.AddHostedService(static provider => provider.GetRequiredService<Housekeeping>());
        services.AddHostedService<HandOver>();
        AddRequests(services);
    }

    private static void AddPersistence(IServiceCollection services, DataOptions data)
    {
        services.AddSingleton(new AuthDatabase(data.PathOf(AuthData.DatabaseFile)));
        services.AddSingleton(_ => DataFolderLock.Take(data.PathOf(AuthData.Lock)));
        services.AddSingleton<AuthMetrics>();
        services.AddSingleton<AuthFigures>();
        services.AddSingleton<AuthWriter>();
        services.AddSingleton<IAuditWriter, AuditWriter>();
        services.AddSingleton<IAdminTokenStore, AdminTokenStore>();
        services.AddSingleton<AuthReader>();
        services.AddDbContextPool<AuthDbContext>(static (provider, options) => options
            .UseSqlite(provider.GetRequiredService<AuthDatabase>().ConnectionString)
            .AddInterceptors(new SqlitePragmas())

            // Whoever does not expect a failure logs it where it is caught.
            .ConfigureWarnings(static warnings => warnings.Log(
                (RelationalEventId.CommandError, LogLevel.Debug),
                (CoreEventId.SaveChangesFailed, LogLevel.Debug))));
    }

    private static void AddRequests(IServiceCollection services)
    {
        // A cost of 1 is some 30 microseconds of work.
        services.AddRequest<RegisterClientRequest, RegisterClientHandler>(RequestAccess.Anyone, cost: 5);
        services.AddRequest<FinishRegistrationRequest, FinishRegistrationHandler>(RequestAccess.Anyone, cost: 2);
        services.AddRequest<RegisterServerRequest, RegisterServerHandler>(RequestAccess.Anyone, cost: 5);
        services.AddRequest<StartLoginRequest, StartLoginHandler>(RequestAccess.Anyone, cost: 10);
        services.AddRequest<FetchPreviousKeysRequest, FetchPreviousKeysHandler>(RequestAccess.Anyone);
        services.AddRequest<FinishLoginRequest, FinishLoginHandler>(RequestAccess.Anyone, cost: 2);
        services.AddRequest<ServiceTicketRequest, ServiceTicketHandler>(RequestAccess.Anyone, cost: 2);
        services.AddRequest<RenewTicketRequest, RenewTicketHandler>(RequestAccess.Anyone, cost: 2);
        services.AddRequest<PresentTicketRequest, PresentTicketHandler>(RequestAccess.Anyone);
        services.AddRequest<ListServersRequest, ListServersHandler>(RequestAccess.SignedIn);
        services.AddRequest<LookUpClientRequest, LookUpClientHandler>(RequestAccess.SignedIn);
        services.AddRequest<LogoutRequest, LogoutHandler>(RequestAccess.SignedIn);
        services.AddRequest<StartPasswordChangeRequest, StartPasswordChangeHandler>(RequestAccess.SignedIn, cost: 15);
        services.AddRequest<FinishPasswordChangeRequest, FinishPasswordChangeHandler>(RequestAccess.SignedIn, cost: 2);
        services.AddRequest<ListDevicesRequest, ListDevicesHandler>(RequestAccess.SignedIn);
        services.AddRequest<RenameDeviceRequest, RenameDeviceHandler>(RequestAccess.SignedIn);
        services.AddRequest<LinkDeviceRequest, LinkDeviceHandler>(RequestAccess.SignedIn, cost: 2);
        services.AddRequest<RemoveDeviceRequest, RemoveDeviceHandler>(RequestAccess.SignedIn);
        services.AddRequest<AuthenticateServerRequest, AuthenticateServerHandler>(RequestAccess.Anyone, cost: 5);
        services.AddRequest<SubscribeRevocationsRequest, SubscribeRevocationsHandler>(RequestAccess.EnrolledServer);
        services.AddRequest<FetchServerKeysRequest, FetchServerKeysHandler>(RequestAccess.EnrolledServer);
        services.AddRequest<ConfirmServerKeysRequest, ConfirmServerKeysHandler>(RequestAccess.EnrolledServer);
    }

    private static async Task PrepareAsync(WebApplication app)
    {
        // Held until the server is disposed of: the writer remembers where the audit log ends.
        app.Services.GetRequiredService<DataFolderLock>();
        await using var scope = app.Services.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<AuthDbContext>();
        await database.Database.MigrateAsync();
        await ClientNameUpgrade.RunAsync(database);
        var keys = await RealmKeys.LoadOrCreateAsync(
            database,
            scope.ServiceProvider.GetRequiredService<IDataProtectionProvider>(),
            scope.ServiceProvider.GetRequiredService<TimeProvider>());
        app.Services.GetRequiredService<RealmKeysHolder>().Keys = keys;
        await RestoredData.SettleAsync(app.Services.GetRequiredService<AuthWriter>());
        await app.Services.GetRequiredService<MessageServers>().LoadAsync(database);
        await app.Services.GetRequiredService<LoginGuard>().LoadAsync(database);
        app.Services.GetRequiredService<RevocationLog>().OnRevoked(app.Services.GetRequiredService<RevokedConnections>().Cut);
        app.Services.GetRequiredService<ServerIdentity>().Set(keys.Server, keys.Realm);
        await app.Services.GetRequiredService<AuthWriter>().WriteAsync(
            write =>
            {
                TransparencyLog.Fill(write, keys.Realm);
                write.Audit(new AuditEvent(AuditKind.ServerStarted, Origin.System, "auth server"));
            },
            CancellationToken.None);
        await app.Services.GetRequiredService<AdminTokens>().LoadAsync(CancellationToken.None);
    }

    private static void MapAdmin(RouteGroupBuilder admin)
    {
        admin.MapDrain();
        admin.MapLogLevel();
        admin.MapJobs();
        admin.MapBackups();
        admin.MapAdminTokens();
        ClientEndpoints.Map(admin);
        DeviceEndpoints.Map(admin);
        SessionEndpoints.Map(admin);
        TokenEndpoints.Map(admin);
        ServerEndpoints.Map(admin);
        LockoutEndpoints.Map(admin);
        KeyEndpoints.Map(admin);
        admin.MapAudit();
        StatsEndpoints.Map(admin);
        admin.MapConfig();
        TransparencyEndpoints.Map(admin);
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
