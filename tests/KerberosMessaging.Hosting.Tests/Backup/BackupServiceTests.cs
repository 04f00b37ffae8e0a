using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Hosting.Backup;
using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.Hosting.Tests.Admin;
using KerberosMessaging.Hosting.Tests.Startup.Commands;
using KerberosMessaging.Hosting.Tests.Wire;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.Hosting.Tests.Backup;

public sealed class BackupServiceTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 5, 4, 3, 2, 1, TimeSpan.Zero));
    private readonly Audited _audit = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public BackupServiceTests()
    {
        Directory.CreateDirectory(_folder.File("data/keys"));
        _folder.Write("data/sample.db", "");
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_newest_are_kept_and_other_files_are_not_touched()
    {
        using var backups = Service(new BackupOptions { Folder = _folder.File("backups"), Keep = 2 });
        Directory.CreateDirectory(_folder.File("backups"));
        _folder.Write("backups/sample-notes.backup", "of the operator");
        for (var i = 0; i < 4; i++)
        {
            await backups.MakeAsync(Origin.System, Cancel);
            _time.Advance(TimeSpan.FromHours(1));
        }

        Assert.Equal(["sample-20260504T060201Z.backup", "sample-20260504T050201Z.backup"], backups.List().Select(static file => file.Name));
        Assert.All(backups.List(), file => Assert.True(backups.IsChecked(file)));
        Assert.Equal(new DateTimeOffset(2026, 5, 4, 6, 2, 1, TimeSpan.Zero), backups.LastSuccess);
        Assert.True(File.Exists(_folder.File("backups/sample-notes.backup")));
        Assert.Equal(4, _audit.Events.Count(static happened => happened.Kind == AuditKind.BackupMade));
    }

    [Fact]
    public async Task A_second_one_within_the_same_second_waits_for_the_next()
    {
        using var backups = Service(new BackupOptions { Folder = _folder.File("backups"), Keep = 2 });
        await backups.MakeAsync(Origin.System, Cancel);

        var (second, third) = (backups.MakeAsync(Origin.System, Cancel), backups.MakeAsync(Origin.System, Cancel));
        Assert.Single(backups.List());
        await Wait.UntilAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromMilliseconds(100));
                return second.IsCompleted && third.IsCompleted;
            });
        await Task.WhenAll(second, third);

        // The first of the three is gone, and the names have the order of the backups.
        var names = _audit.Events.Where(static happened => happened.Kind == AuditKind.BackupMade).Select(static happened => happened.Target).ToArray();
        Assert.Equal(3, names.Distinct().Count());
        Assert.Equal(names.Order(StringComparer.Ordinal), names);
        Assert.Equal(names.Reverse().Take(2), backups.List().Select(static file => $"backup {file.Name}"));
        Assert.Null(backups.LastFailure);
    }

    [Fact]
    public async Task A_failure_is_remembered_until_a_backup_was_made()
    {
        using var backups = Service(new BackupOptions { Folder = _folder.File("backups"), KeyFile = _folder.File("backup.key") });
        await Assert.ThrowsAsync<StartupException>(() => backups.MakeAsync(Origin.System, Cancel));
        Assert.Equal(_time.GetUtcNow(), backups.LastFailure);
        Assert.Empty(backups.List());
        Assert.Empty(_audit.Events);

        _folder.Write("backup.key", new string('a', 64));
        await backups.MakeAsync(Origin.System, Cancel);

        Assert.Null(backups.LastFailure);
        Assert.Single(backups.List());
    }

    [Fact]
    public async Task One_is_made_when_the_newest_is_old_enough()
    {
        using var backups = Service(new BackupOptions { Folder = _folder.File("backups"), EveryHours = 6 });
        using var schedule = new BackupSchedule(backups, _time, NullLogger<BackupSchedule>.Instance);
        await schedule.StartAsync(Cancel);
        await Wait.UntilAsync(() => backups.List().Count == 1);

        // A look every ten minutes; the sixth hour is the first that finds it old enough.
        for (var minutes = 10; minutes < 360; minutes += 10)
        {
            _time.Advance(TimeSpan.FromMinutes(10));
        }

        Assert.Single(backups.List());
        await Wait.UntilAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromMinutes(10));
                return backups.List().Count == 2;
            });
        await schedule.StopAsync(Cancel);
    }

    [Theory]
    [InlineData("", 24)]
    [InlineData("backups", 0)]
    public void None_is_scheduled_without_a_folder_or_an_interval(string folder, int everyHours)
    {
        using var backups = Service(new BackupOptions { Folder = folder, EveryHours = everyHours });

        Assert.Null(backups.Interval);
    }

    private BackupService Service(BackupOptions options) => new(
        new SampleData(),
        Options.Create(new DataOptions { Directory = _folder.File("data") }),
        Options.Create(options),
        _audit,
        _time,
        NullLogger<BackupService>.Instance);

    private sealed class Audited : IAuditWriter
    {
        public List<AuditEvent> Events { get; } = [];

        public Task WriteAsync(AuditEvent happened, CancellationToken cancellationToken)
        {
            Events.Add(happened);
            return Task.CompletedTask;
        }
    }
}
