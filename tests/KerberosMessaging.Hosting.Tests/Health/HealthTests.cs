using System.Net;
using System.Text.Json;
using KerberosMessaging.Hosting.Health;
using KerberosMessaging.Hosting.Tests.Admin;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.Hosting.Tests.Health;

public sealed class HealthTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(3000, HealthStatus.Healthy)]
    [InlineData(2000, HealthStatus.Healthy)]
    [InlineData(1999, HealthStatus.Degraded)]
    [InlineData(999, HealthStatus.Unhealthy)]
    public void A_disk_is_judged_by_what_is_free(long free, HealthStatus status) =>
        Assert.Equal(status, DiskCheck.Judge(free, new HealthOptions { LowDiskBytes = 2000, CriticalDiskBytes = 1000 }).Status);

    [Fact]
    public void The_low_mark_must_not_be_below_the_critical_one() =>
        Assert.Contains(
            "LowDiskBytes",
            new HealthOptionsValidator().Validate(null, new HealthOptions { LowDiskBytes = 1, CriticalDiskBytes = 2 }).FailureMessage,
            StringComparison.Ordinal);

    [Fact]
    public async Task What_is_degraded_is_told_and_stays_ready()
    {
        var result = HealthCheckResult.Degraded("The disk gets full.");
        await using var server = await StartAsync(() => result, "disk");

        using var response = await server.Client.GetAsync("/health", Cancel);
        var health = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancel)).RootElement;

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("degraded", health.GetProperty("status").GetString());
        var check = Assert.Single(health.GetProperty("checks").EnumerateArray());
        Assert.Equal("disk", check.GetProperty("name").GetString());
        Assert.Equal("degraded", check.GetProperty("status").GetString());
        Assert.Equal("The disk gets full.", check.GetProperty("detail").GetString());
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, "/health/ready"));
    }

    [Fact]
    public async Task What_is_unhealthy_answers_503_and_takes_the_server_out_only_if_it_needs_it()
    {
        await using var disk = await StartAsync(static () => HealthCheckResult.Unhealthy("The disk is almost full."), "disk");
        using var unhealthy = await disk.Client.GetAsync("/health", Cancel);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, unhealthy.StatusCode);
        var problem = JsonDocument.Parse(await unhealthy.Content.ReadAsStringAsync(Cancel)).RootElement;
        Assert.Equal("The disk is almost full.", problem.GetProperty("detail").GetString());
        Assert.Equal("unhealthy", problem.GetProperty("checks")[0].GetProperty("status").GetString());
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(disk, "/health/ready"));

        await using var database = await StartAsync(
            static () => HealthCheckResult.Unhealthy("The database takes no writes."), "database", HealthServices.ReadyTag);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync(database, "/health/ready"));
    }

    [Fact]
    public async Task One_look_serves_everybody_for_a_while()
    {
        var time = new FakeTimeProvider();
        var looks = 0;
        await using var services = new ServiceCollection()
            .AddLogging()
            .AddSingleton<TimeProvider>(time)
            .AddSingleton(Options.Create(new HealthOptions { FreshSeconds = 5 }))
            .AddSingleton<HealthReports>()
            .AddHealthChecks().AddCheck("counted", () =>
            {
                looks++;
                return HealthCheckResult.Healthy();
            }).Services
            .BuildServiceProvider();
        var reports = services.GetRequiredService<HealthReports>();

        await reports.LookAsync(Cancel);
        time.Advance(TimeSpan.FromSeconds(4));
        await reports.LookAsync(Cancel);
        Assert.Equal(1, looks);

        time.Advance(TimeSpan.FromSeconds(1));
        await reports.LookAsync(Cancel);
        Assert.Equal(2, looks);
    }

    [Fact]
    public async Task A_write_that_hangs_is_unhealthy()
    {
        var check = new DatabaseCheck(new Hanging(), Options.Create(new HealthOptions { WriteDeadlineSeconds = 1 }));

        var result = await check.CheckHealthAsync(new HealthCheckContext(), Cancel);

        Assert.Equal(HealthStatus.Unhealthy, result.Status);
        Assert.Equal("The database did not take a write in time.", result.Description);
    }

    private static async Task<AdminServer> StartAsync(Func<HealthCheckResult> check, string name, params string[] tags)
    {
        var folder = new TempFolder();
        var server = await AdminServer.StartAsync(folder, builder => builder.Services.AddHealthChecks().AddCheck(name, check, tags));
        server.Readiness.SetReady();
        return server;
    }

    private static async Task<HttpStatusCode> StatusAsync(AdminServer server, string path)
    {
        using var response = await server.Client.GetAsync(path, Cancel);
        return response.StatusCode;
    }

    private sealed class Hanging : IDatabaseProbe
    {
        public Task WriteAsync(CancellationToken cancellationToken) => new TaskCompletionSource().Task;
    }
}
