using System.Text;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Hosting.Startup;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>
/// Gives a first message server what it enrols with, in a folder that both can see: the realm's fingerprint, and, as long as no message
/// server was ever enrolled, a one-time token. Later ones need an admin: a folder must not go on making members of the realm.
/// </summary>
internal sealed partial class HandOver(
    AuthWriter writer,
    OneTimeTokens tokens,
    MessageServers servers,
    RealmKeys keys,
    IOptions<AuthOptions> options,
    TimeProvider time,
    ILogger<HandOver> logger) : BackgroundService
{
    /// <summary>The file with the realm's fingerprint.</summary>
    public const string FingerprintFile = "realm-fingerprint";

    /// <summary>The file with the token.</summary>
    public const string TokenFile = "enrolment-token";

    // Far more than a token has.
    private const int LongestToken = 1024;

    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private string? Folder => options.Value.ConfiguredHandOverFolder;

    /// <inheritdoc />
    /// <exception cref="StartupException">The folder cannot be written.</exception>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        if (Folder is { } folder)
        {
            try
            {
                Directory.CreateDirectory(folder);
                PrivateFile.Write(Path.Combine(folder, FingerprintFile), Encoding.ASCII.GetBytes($"{keys.Fingerprint}\n"));
                await RunOnceAsync(cancellationToken);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new StartupException($"the folder '{folder}' that Auth:HandOverFolder names cannot be written: {e.Message}", e);
            }
        }

        await base.StartAsync(cancellationToken);
    }

    /// <summary>Makes the token, renews it, or takes it away.</summary>
    public async Task RunOnceAsync(CancellationToken cancellationToken)
    {
        var path = Path.Combine(Folder!, TokenFile);
        var token = ReadToken(path);
        var (hasServers, old) = await writer.WriteAsync(
            scope => (scope.Database.MessageServers.Any(), token is null ? null : OneTimeTokens.Find(scope.Database, token, scope.Now)),
            cancellationToken);
        if (hasServers)
        {
            File.Delete(path);
            return;
        }

        // The last quarter of its life is time enough for whoever reads it late.
        if (old is not null && old.ExpiresAt - time.GetUtcNow() > options.Value.EnrolmentTokenLife / 4)
        {
            return;
        }

        var made = await tokens.MakeEnrolmentAsync(server: null, options.Value.EnrolmentTokenLife, Origin.System, cancellationToken);
        PrivateFile.Write(path, Encoding.ASCII.GetBytes(made.Token));
        if (old is not null)
        {
            await tokens.RevokeAsync(old.Id, Precondition.None, Origin.System, cancellationToken);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (Folder is null)
        {
            return;
        }

        try
        {
            while (true)
            {
                var changed = servers.Changed;
                await RunLoggedAsync(stoppingToken);
                var pause = Task.Delay(Interval, time, stoppingToken);
                await Task.WhenAny(changed, pause);
                stoppingToken.ThrowIfCancellationRequested();
            }
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    private async Task RunLoggedAsync(CancellationToken stoppingToken)
    {
        try
        {
            await RunOnceAsync(stoppingToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            Log.Failed(logger, e);
        }
    }

    // What is there may be cut short or somebody's mistake; then another takes its place.
    private static string? ReadToken(string path)
    {
        var file = new FileInfo(path);
        return file.Exists && file.Length <= LongestToken ? File.ReadAllText(path).Trim() : null;
    }

    private static partial class Log
    {
        [LoggerMessage(2401, LogLevel.Error, "The folder that Auth:HandOverFolder names could not be kept up to date; the next try is in a minute.")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
