using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Admin.Access;
using KerberosMessaging.Hosting.Admin.Jobs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Backup;

/// <summary>Backups that the server makes by itself.</summary>
public static class BackupEndpoints
{
    /// <summary>Adds what makes them, by schedule and when an admin asks.</summary>
    /// <param name="services">The server's services.</param>
    /// <param name="data">What a backup needs to know of the server's data.</param>
    public static void AddBackups(this IServiceCollection services, ServerData data)
    {
        services.AddOptions<BackupOptions>().BindConfiguration(BackupOptions.SectionName).ValidateOnStart();
        services.AddSingleton<IValidateOptions<BackupOptions>, BackupOptionsValidator>();
        services.AddSingleton(data);
        services.AddSingleton<BackupService>();
        services.AddSingleton<IBackupStatus>(static provider => provider.GetRequiredService<BackupService>());
        services.AddHostedService<BackupSchedule>();

        // One object: as a check alone it would be made, and its gauge with it, only when somebody asks for the server's health.
        services.AddSingleton<BackupWatch>();
        services.AddHealthChecks().AddCheck<BackupWatch>("backup");
    }

    /// <summary>Adds the operations to a server's admin API.</summary>
    /// <param name="admin">The protected group.</param>
    public static void MapBackups(this RouteGroupBuilder admin)
    {
        var backups = admin.MapGroup("/backups").WithTags("Backups").RequireScope(AdminScope.Ops);
        backups.MapGet("", List);
        backups.MapPost("", MakeAsync).ProducesProblem(StatusCodes.Status409Conflict);
    }

    /// <summary>Lists the backups</summary>
    /// <remarks>Those in <c>Backup:Folder</c>, newest first, and whether the last try failed.</remarks>
    private static Ok<BackupsView> List(BackupService backups) => TypedResults.Ok(new BackupsView(
        backups.Interval?.TotalHours,
        backups.LastFailure,
        [.. backups.List().Select(file => new BackupView(file.Name, file.MadeAt, file.Bytes, backups.IsChecked(file)))]));

    /// <summary>Makes a backup now</summary>
    /// <remarks>A job. It goes to <c>Backup:Folder</c>, is read back before it counts, and old ones beyond <c>Backup:Keep</c> go. Without a folder it is a 409.</remarks>
    /// <param name="backups">The backups.</param>
    /// <param name="jobs">The jobs.</param>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<Accepted<JobView>, ProblemHttpResult>> MakeAsync(
        BackupService backups, AdminJobs jobs, HttpContext context, CancellationToken cancellationToken)
    {
        if (!backups.IsOn)
        {
            return AdminResults.Conflict("Backup:Folder is not set, so there is no place for it.");
        }

        var origin = context.ToOrigin();
        return AdminResults.Accepted(
            await jobs.StartAsync("backup", "data folder", origin, (_, aborted) => backups.MakeAsync(origin, aborted), cancellationToken));
    }
}
