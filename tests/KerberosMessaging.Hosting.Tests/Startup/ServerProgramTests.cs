using System.Data.Common;
using System.Net.Sockets;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.Hosting.Tests.Admin;
using KerberosMessaging.Hosting.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Tests.Startup;

public sealed class ServerProgramTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<Exception, string> Explained => new()
    {
        { new StartupException("what to do"), "what to do" },
        { new AdminTokenException("what is wrong with it"), "what is wrong with it" },
        { new OptionsValidationException("Wire", typeof(WireOptions), ["Port: one.", "Address: two."]), "Port: one. Address: two." },
        { new AggregateException(new StartupException("one."), new StartupException("two.")), "one. two." },
        { new SocketException((int)SocketError.AccessDenied), "cannot listen: " },
        { new IOException("Failed to bind.", new AddressInUseException("in use")), "Failed to bind. Stop what uses the port, or configure another." },
        { new IOException("no space left"), "no space left" },
        { new UnauthorizedAccessException("not allowed"), "not allowed" },
        { new DatabaseFault("file is not a database"), "the database cannot be used: file is not a database" },
    };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Explained), DisableDiscoveryEnumeration = true)]
    public void What_an_operator_can_mend_is_one_line(Exception exception, string line)
    {
        var explained = ServerProgram.Explain(exception);

        Assert.StartsWith(line, explained, StringComparison.Ordinal);
        Assert.DoesNotContain("\n", explained, StringComparison.Ordinal);
    }

    [Fact]
    public void A_value_of_the_wrong_type_is_explained_with_its_key()
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["Wire:Port"] = "x" }).Build();

        var e = Assert.Throws<InvalidOperationException>(() => configuration.GetSection("Wire").Get<WireOptions>());

        Assert.Contains("'Wire:Port'", ServerProgram.Explain(e), StringComparison.Ordinal);
    }

    [Fact]
    public void A_fault_of_the_server_s_own_is_not_explained_away()
    {
        Assert.Null(ServerProgram.Explain(new InvalidOperationException("a bug")));
        Assert.Null(ServerProgram.Explain(new ArgumentException("a bug")));
        Assert.Null(ServerProgram.Explain(new AggregateException(new StartupException("one"), new InvalidOperationException("a bug"))));
    }

    [Fact]
    public async Task A_server_that_cannot_be_built_ends_the_program_with_its_exit_code() =>
        Assert.Equal(
            ServerProgram.CannotStart,
            await ServerProgram.RunAsync("sample", static () => throw new StartupException("this line is part of a test")));

    [Fact]
    public async Task A_bug_is_not_caught() =>
        await Assert.ThrowsAsync<InvalidOperationException>(static () =>
            ServerProgram.RunAsync("sample", static () => throw new InvalidOperationException("a bug")));

    [Fact]
    public async Task The_banner_says_where_to_connect_and_the_token_is_shown_once()
    {
        await using (var app = Build("--Wire:Port=0", "--Admin:Port=0"))
        {
            var token = new StringWriter();
            ServerProgram.WriteNewToken("sample", app, token);
            Assert.Matches("^sample: admin token, shown only this once: kmsg_admin_[A-Za-z0-9_-]{43}\n$", token.ToString());

            await app.StartAsync(Cancel);
            var banner = new StringWriter();
            ServerProgram.WriteBanner("sample", app, banner);
            Assert.Matches(
                @"^sample: clients connect to 127\.0\.0\.1:[1-9]\d*, Swagger is at http://127\.0\.0\.1:[1-9]\d*/swagger\n$", banner.ToString());
        }

        await using var again = Build("--Wire:Port=0", "--Admin:Port=0");
        var nothing = new StringWriter();
        ServerProgram.WriteNewToken("sample", again, nothing);
        Assert.Equal("", nothing.ToString());
    }

    [Fact]
    public void Defaults_give_way_to_configuration_and_that_to_the_command_line()
    {
        using (Temporarily("Wire__FrameDeadlineSeconds", "7"))
        using (Temporarily("Admin__Port", "9001"))
        {
            var services = Build("--Admin:Port=9002").Services;

            Assert.Equal(1234, services.GetRequiredService<IOptions<WireOptions>>().Value.Port);
            Assert.Equal(7, services.GetRequiredService<IOptions<WireOptions>>().Value.FrameDeadlineSeconds);
            Assert.Equal(9002, services.GetRequiredService<IOptions<AdminOptions>>().Value.Port);
            Assert.Equal(_folder.File("data/admin-token.hash"), services.GetRequiredService<IOptions<AdminOptions>>().Value.TokenHashFile);
            Assert.Equal(TimeSpan.FromSeconds(9), services.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout);
        }
    }

    [Fact]
    public void Without_a_word_about_it_the_data_lies_below_data()
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Production" });
        builder.AddServerDefaults("sample", wirePort: 1234, adminPort: 5678, []);

        Assert.Equal(Path.Combine("data", "sample"), builder.Configuration["Data:Directory"]);
        Assert.Equal("5678", builder.Configuration["Admin:Port"]);
    }

    private static Restored Temporarily(string variable, string value)
    {
        var before = Environment.GetEnvironmentVariable(variable);
        Environment.SetEnvironmentVariable(variable, value);
        return new Restored(variable, before);
    }

    // As both servers are put together.
    private WebApplication Build(params string[] args)
    {
        args = [$"--Data:Directory={_folder.File("data")}", "--Wire:Address=127.0.0.1", .. args];
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Production", Args = args });
        builder.AddServerDefaults("sample", wirePort: 1234, adminPort: 5678, args);
        builder.Logging.ClearProviders();
        builder.AddDataDirectory("sample");
        builder.AddAdminApi("Sample", "Runs a sample.", typeof(ServerProgramTests).Assembly);
        builder.Services.AddWire();
        Admin.MemoryStore.Add(builder.Services);
        var app = builder.Build();
        app.UseAdminApi();
        return app;
    }

    private sealed class DatabaseFault(string message) : DbException(message);

    private sealed class Restored(string variable, string? value) : IDisposable
    {
        public void Dispose() => Environment.SetEnvironmentVariable(variable, value);
    }
}
