using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.Hosting.Tests.Admin;
using KerberosMessaging.Hosting.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Tests.Startup;

/// <summary>Whoever mends a configuration is told of all its mistakes at once, wherever they come from.</summary>
public sealed class ConfigurationCheckTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Everything_that_is_wrong_is_named_at_once()
    {
        var e = Assert.Throws<OptionsValidationException>(() => Check(
            ("Wire:Port", "70000"),
            ("Wire:Prot", "1256"),
            ("Wire:Address", "nowhere"),
            ("Limits:Connections", "many"),
            ("Admin:CertificateFile", "cert.pem"),
            ("Admin:Adress", "127.0.0.1"),
            ("Data:Directory", ""),
            ("Data:MasterKey", "short"),
            ("Own:FrameDeadlineSeconds", "0")));

        Assert.Collection(
            e.Failures.Order(StringComparer.Ordinal),
            failure => Assert.StartsWith("Admin: The fields CertificateFile and CertificateKeyFile", failure, StringComparison.Ordinal),
            failure => Assert.StartsWith("Data:MasterKey is not a master key", failure, StringComparison.Ordinal),
            failure => Assert.Equal("Limits:Connections cannot be 'many'.", failure),
            failure => Assert.StartsWith("The Data:Directory field is required", failure, StringComparison.Ordinal),
            failure => Assert.StartsWith("The field Own:FrameDeadlineSeconds must be between", failure, StringComparison.Ordinal),
            failure => Assert.StartsWith("The field Wire:Port must be between", failure, StringComparison.Ordinal),
            failure => Assert.Equal("There is no option Admin:Adress.", failure),
            failure => Assert.Equal("There is no option Wire:Prot.", failure),
            failure => Assert.StartsWith("Wire: The field Address must be an IP address", failure, StringComparison.Ordinal));
        Assert.Equal(string.Join(" ", e.Failures), ServerProgram.Explain(e));
    }

    [Fact]
    public void What_is_right_passes_and_nothing_is_made()
    {
        Check(("wire:port", "0"), ("Data:Directory", _folder.File("data")), ("Logging:LogLevel:Default", "Debug"), ("Other:Thing", "1"));

        Assert.False(Directory.Exists(_folder.File("data")));
    }

    [Fact]
    public void A_master_key_file_that_is_not_there_is_named_with_the_others()
    {
        var e = Assert.Throws<OptionsValidationException>(() => Check(("Data:MasterKeyFile", _folder.File("nowhere")), ("Wire:Port", "-1")));

        Assert.Equal(2, e.Failures.Count());
        Assert.Contains(e.Failures, failure => failure.Contains(_folder.File("nowhere"), StringComparison.Ordinal));
    }

    [Fact]
    public void Secrets_override_the_environment_and_give_way_to_the_command_line()
    {
        Directory.CreateDirectory(_folder.File("secrets"));
        _folder.Write("secrets/Wire__FrameDeadlineSeconds", "11\n");
        _folder.Write("secrets/Wire__HandshakeDeadlineSeconds", "12\n");
        _folder.Write("secrets/README.md", "no option");
        _folder.Write("secrets/token", "no option either");
        using (Temporarily("KMSG_SECRETS", _folder.File("secrets")))
        using (Temporarily("Wire__FrameDeadlineSeconds", "21"))
        using (Temporarily("Wire__SignInDeadlineSeconds", "22"))
        {
            string[] args = ["--Wire:HandshakeDeadlineSeconds=31"];
            var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Production", Args = args });
            builder.AddServerDefaults("sample", wirePort: 1, adminPort: 2, args);

            Assert.Equal("11", builder.Configuration["Wire:FrameDeadlineSeconds"]);
            Assert.Equal("22", builder.Configuration["Wire:SignInDeadlineSeconds"]);
            Assert.Equal("31", builder.Configuration["Wire:HandshakeDeadlineSeconds"]);
            Assert.Null(builder.Configuration["token"]);
        }
    }

    [Fact]
    public void A_folder_of_secrets_that_is_named_must_exist()
    {
        using (Temporarily("KMSG_SECRETS", _folder.File("nowhere")))
        {
            var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Production" });

            var e = Assert.Throws<StartupException>(() => builder.AddServerDefaults("sample", wirePort: 1, adminPort: 2, []));

            Assert.Contains(_folder.File("nowhere"), e.Message, StringComparison.Ordinal);
        }
    }

    private static void Check(params (string Key, string Value)[] settings)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Production" });
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection();
        foreach (var (key, value) in settings)
        {
            builder.Configuration[key] = value;
        }

        builder.CheckConfiguration(("Own", typeof(WireOptions)));
    }

    private static Restored Temporarily(string variable, string value)
    {
        var before = Environment.GetEnvironmentVariable(variable);
        Environment.SetEnvironmentVariable(variable, value);
        return new Restored(variable, before);
    }

    private sealed class Restored(string variable, string? value) : IDisposable
    {
        public void Dispose() => Environment.SetEnvironmentVariable(variable, value);
    }
}
