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
using KerberosMessaging.MessageServer.Admin;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.MessageServer.Domain.Blobs;
using KerberosMessaging.MessageServer.Enrolment;
using KerberosMessaging.MessageServer.Persistence;
using KerberosMessaging.MessageServer.Persistence.Audit;
using KerberosMessaging.MessageServer.Persistence.Blobs;
using KerberosMessaging.MessageServer.Persistence.Sqlite;
using KerberosMessaging.MessageServer.Realm;
using KerberosMessaging.MessageServer.Requests;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.MessageServer;

/// <summary>Builds the message server. The stack and the tests run it in their own process.</summary>
public static class MessageServerApp
{
    internal static readonly (string Section, Type Options)[] Sections =
    [
        (RealmOptions.SectionName, typeof(RealmOptions)),
        (MailboxOptions.SectionName, typeof(MailboxOptions)),
        (PrekeyOptions.SectionName, typeof(PrekeyOptions)),
        (BlobOptions.SectionName, typeof(BlobOptions)),
    ];

    /// <summary>The server as its program's commands see it.</summary>
    public static ServerDefinition Definition { get; } = new() { Name = "message server", Configure = CreateBuilder, Data = new MessageData() };

    /// <summary>
    /// Builds the server: migrations applied, its keys opened if it is enrolled, ready to start. If it is not, it enrols
    /// itself after it has started, and is not ready before that.
    /// </summary>
    /// <param name="args">Command-line configuration, such as <c>--Wire:Port=1257</c>.</param>
    /// <param name="configure">Changes the builder before it builds.</param>
    /// <exception cref="StartupException">It cannot start as configured.</exception>
    /// <exception cref="OptionsValidationException">Options are wrong; all of them are named.</exception>
    public static async Task<WebApplication> BuildAsync(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = CreateBuilder(args);
        configure?.Invoke(builder);
        builder.CheckConfiguration(Sections);
        var data = builder.AddDataDirectory("kmsg message server");
        builder.AddAdminApi(
            "Message server", "Connections, mailboxes and blobs of a message server.", typeof(MessageServerApp).Assembly);
        AddServices(builder.Services, data);

        var app = builder.Build();
        try
        {
            // The host would do this at its start, but the options are needed before that.
            app.Services.GetRequiredService<IStartupValidator>().Validate();
            await SqliteStartup.MigrateAsync(app.Services);
            await LoadAuditAsync(app.Services);
            await RestoredData.SettleAsync(app.Services);
            await LoadIdentityAsync(app.Services);
            await app.Services.GetRequiredService<ClientLimitStore>().LoadAsync(CancellationToken.None);
            MapAdmin(app.UseAdminApi());
            app.MapMetrics();
            app.Services.GetRequiredService<StoreFigures>();
            SettleWhenDraining(app.Services.GetRequiredService<DrainService>(), app.Services.GetRequiredService<PushGrace>());
            return app;
        }
        catch
        {
            // Gives back the lock on the data folder.
            await app.DisposeAsync();
            throw;
        }
    }

    private static WebApplicationBuilder CreateBuilder(string[] args)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            Args = args,
            ContentRootPath = AppContext.BaseDirectory,
            ApplicationName = typeof(MessageServerApp).Assembly.GetName().Name,
        });
        builder.AddServerDefaults("message", wirePort: 1257, adminPort: 8082, args, Sections);
        return builder;
    }

    private static void AddServices(IServiceCollection services, DataOptions data)
    {
        services.AddValidation();
        services.AddWire();
        services.AddBackups(Definition.Data);
        services.AddRequests();

        services.AddOptions<MailboxOptions>().BindConfiguration(MailboxOptions.SectionName).ValidateOnStart();
        services.AddSingleton<IValidateOptions<MailboxOptions>, MailboxOptionsValidator>();
        services.AddSingleton<MessageCounts>();
        services.AddSingleton<RelayMetrics>();
        services.AddSingleton<StoreFigures>();
        services.AddServerHealth<StoreProbe>().AddCheck<AuthServerCheck>("auth_server");
        services.AddSingleton<CommitQueue>();
        services.AddSingleton<PushGrace>();
        services.AddSingleton<MailboxDirectory>();
        services.AddSingleton<StoreGuard>();
        services.AddSingleton<Relay>();
        services.AddSingleton<IPresence, InProcessPresence>();
        services.AddSingleton<IWakeBus, InProcessWakeBus>();
        services.AddSingleton<DeliveryService>();
        services.AddOptions<PrekeyOptions>().BindConfiguration(PrekeyOptions.SectionName).ValidateOnStart();
        services.AddSingleton<IValidateOptions<PrekeyOptions>, PrekeyOptionsValidator>();
        services.AddSingleton<PrekeyFetchLimits>();
        services.AddSingleton<PrekeyAlerts>();
        services.AddSingleton<PrekeyService>();
        services.AddSingleton<TicketKeyRing>();
        services.AddSingleton<RevokedTickets>();
        services.AddSingleton<TicketGate>();
        services.AddSingleton<SignedInConnections>();

        services.AddSingleton(new SqliteDatabase(data.PathOf(MessageData.DatabaseFile)));
        services.AddSingleton(_ => DataFolderLock.Take(data.PathOf(MessageData.Lock)));
        services.AddSingleton<IMailboxStore, SqliteMailboxStore>();

        // Its failures reach an operator as one line; EF Core would log each of them before, with its stack.
        services.AddDbContextFactory<MessageDbContext>(static (provider, options) => options
            .UseSqlite(provider.GetRequiredService<SqliteDatabase>().ConnectionString)
            .UseLoggerFactory(NullLoggerFactory.Instance)
            .AddInterceptors(new PragmaInterceptor()));
        services.AddSingleton<ServerIdentityStore>();
        AddAudit(services);
        AddBlobs(services, data);
        AddRealm(services);
        AddAdministration(services);

        // Before Kestrel's, so that they start before the first request comes and stop after the last has gone.
        services.AddHostedService(static provider => provider.GetRequiredService<CommitQueue>());
        services.AddHostedService(static provider => provider.GetRequiredService<StoreGuard>());
        services.AddHostedService<MailboxMeasurer>();
        services.AddHostedService(static provider => provider.GetRequiredService<MessageRate>());
        services.AddHostedService<Sweeper>();
        services.AddHostedService<BlobSweeper>();
        services.AddHostedService<RealmService>();
    }

    private static void AddAudit(IServiceCollection services)
    {
        services.AddSingleton<AuditWriter>();
        services.AddSingleton<IAuditWriter>(static provider => provider.GetRequiredService<AuditWriter>());
        services.AddSingleton(static provider => provider.GetRequiredService<AuditWriter>().Chain);
        services.AddSingleton<IAuditStore, AuditStore>();
        services.AddSingleton<AuditLog>();
        services.AddSingleton<IAdminTokenStore, AdminTokenStore>();
    }

    private static void AddBlobs(IServiceCollection services, DataOptions data)
    {
        services.AddOptions<BlobOptions>().BindConfiguration(BlobOptions.SectionName).ValidateOnStart();
        services.AddSingleton<IValidateOptions<BlobOptions>, BlobOptionsValidator>();
        services.AddSingleton(new BlobStore(data.PathOf(MessageData.Blobs)));
        services.AddSingleton<BlobIndex>();
        services.AddSingleton<BlobService>();
    }

    private static void AddAdministration(IServiceCollection services)
    {
        services.AddSingleton<QueueReader>();
        services.AddSingleton<MailboxCleaner>();
        services.AddSingleton<ClientLimitStore>();
        services.AddSingleton<MessageRate>();
        services.AddSingleton<StatsReader>();
    }

    private static void AddRealm(IServiceCollection services)
    {
        services.AddOptions<RealmOptions>().BindConfiguration(RealmOptions.SectionName).ValidateOnStart();
        services.AddSingleton<IValidateOptions<RealmOptions>, RealmOptionsValidator>();
        services.AddSingleton<Membership>();
        services.AddSingleton<EnrolmentFiles>();
        services.AddSingleton<EnrolmentClient>();
        services.AddSingleton<Enroller>();
        services.AddSingleton<FirstEnrolment>();
        services.AddSingleton<RevocationFeed>();
        services.AddSingleton<RealmMetrics>();
        services.AddSingleton<RealmLink>();
    }

    // Nobody acknowledges any more what was pushed, so it goes to disk, and its senders have their answers while they are still here.
    private static void SettleWhenDraining(DrainService drain, PushGrace grace)
    {
        drain.Started += grace.Flush;
        drain.Undone += grace.Resume;
    }

    private static async Task LoadAuditAsync(IServiceProvider services)
    {
        var audit = services.GetRequiredService<AuditWriter>();
        await audit.LoadAsync(CancellationToken.None);
        await audit.TryWriteStartAsync();
        await services.GetRequiredService<AdminTokens>().LoadAsync(CancellationToken.None);
    }

    private static async Task LoadIdentityAsync(IServiceProvider services)
    {
        if (await services.GetRequiredService<ServerIdentityStore>().LoadAsync(CancellationToken.None) is { } enrolled)
        {
            services.GetRequiredService<Membership>().Assume(enrolled);
        }
        else if (services.GetRequiredService<IOptions<RealmOptions>>().Value.Missing() is { } missing)
        {
            throw new StartupException(
                $"this server is not enrolled in a realm yet: set {missing}; the auth server shows its fingerprint and makes enrolment tokens.");
        }
    }

    private static void MapAdmin(RouteGroupBuilder admin)
    {
        admin.MapDrain();
        admin.MapLogLevel();
        admin.MapJobs();
        admin.MapBackups();
        admin.MapAdminTokens();
        admin.MapAudit();
        admin.MapConfig();
        ConnectionEndpoints.Map(admin);
        QueueEndpoints.Map(admin);
        BlobEndpoints.Map(admin);
        PrekeyEndpoints.Map(admin);
        LimitEndpoints.Map(admin);
        StatsEndpoints.Map(admin);
    }
}
