using System.Net;
using System.Net.Sockets;
using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.Hosting.Startup.Commands;
using KerberosMessaging.Hosting.Tests.Admin;
using Microsoft.AspNetCore.Builder;

namespace KerberosMessaging.Hosting.Tests.Startup.Commands;

public sealed class HealthCheckTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("0.0.0.0")]
    public async Task A_server_that_is_ready_is_said_to_be(string address)
    {
        await using var server = await AdminServer.StartAsync(_folder, settings: ("Admin:Address", address));
        server.Readiness.SetReady();

        Assert.Equal("sample: ready\n", await CheckAsync($"--Admin:Address={address}", $"--Admin:Port={server.Client.BaseAddress!.Port}"));
    }

    [Fact]
    public async Task A_server_that_is_not_ready_is_told_with_the_reason()
    {
        await using var server = await AdminServer.StartAsync(_folder);
        server.Readiness.SetNotReady("It waits for something.");

        var e = await Assert.ThrowsAsync<StartupException>(() => CheckAsync($"--Admin:Port={server.Client.BaseAddress!.Port}"));

        Assert.Equal("not ready: It waits for something.", e.Message);
    }

    [Fact]
    public async Task Where_nothing_listens_the_address_is_told()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();

        var e = await Assert.ThrowsAsync<StartupException>(() => CheckAsync($"--Admin:Port={port}"));

        Assert.Contains($"http://127.0.0.1:{port}/", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_listens_and_says_nothing_is_not_waited_for()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();

        var e = await Assert.ThrowsAsync<StartupException>(() => CheckAsync($"--Admin:Port={((IPEndPoint)listener.LocalEndpoint).Port}"));

        Assert.StartsWith("no answer from ", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Any_free_port_cannot_be_asked() =>
        Assert.Contains(
            "Admin:Port", (await Assert.ThrowsAsync<StartupException>(() => CheckAsync("--Admin:Port=0"))).Message, StringComparison.Ordinal);

    private static async Task<string> CheckAsync(params string[] args)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Production", Args = args });
        builder.AddServerDefaults("sample", wirePort: 1234, adminPort: 5678, args);
        var output = new StringWriter { NewLine = "\n" };
        var server = new ServerDefinition { Name = "sample", Configure = _ => builder, Data = new SampleData() };
        await new HealthCheckCommand().RunAsync(new CommandCall(server, builder, new Dictionary<string, string>(), output), Cancel);
        return output.ToString();
    }
}
