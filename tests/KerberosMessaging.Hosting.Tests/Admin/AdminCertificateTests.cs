using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.Hosting.Tests.Wire;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.Hosting.Tests.Admin;

public sealed class AdminCertificateTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_admin_port_speaks_https_with_the_certificate()
    {
        var thumbprint = WritePair("admin.pem", "admin.key", "first");
        await using var server = await StartAsync();

        Assert.Equal("https", server.Client.BaseAddress!.Scheme);
        Assert.Equal(thumbprint, await ShownAsync(server));
        using var plain = new HttpClient();
        await Assert.ThrowsAsync<HttpRequestException>(() =>
            plain.GetAsync(new UriBuilder(server.Client.BaseAddress) { Scheme = "http", Path = "/health/live" }.Uri, Cancel));
        using var client = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = { RemoteCertificateValidationCallback = (_, shown, _, _) => shown!.GetCertHashString() == thumbprint },
        });
        using var answer = await client.GetAsync(new Uri(server.Client.BaseAddress, "/health/live"), Cancel);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task Certificates_between_it_and_the_root_are_sent_along()
    {
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var rootRequest = new CertificateRequest("CN=root", rootKey, HashAlgorithmName.SHA256);
        rootRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var root = rootRequest.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(9));
        using var middleKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var middleRequest = new CertificateRequest("CN=middle", middleKey, HashAlgorithmName.SHA256);
        middleRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var middle = middleRequest.Create(root, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(8), [1]).CopyWithPrivateKey(middleKey);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var own = new CertificateRequest("CN=admin", key, HashAlgorithmName.SHA256)
            .Create(middle, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(7), [2]);
        _folder.Write("admin.pem", $"{own.ExportCertificatePem()}\n{middle.ExportCertificatePem()}\n");
        _folder.Write("admin.key", key.ExportPkcs8PrivateKeyPem());
        await using var server = await StartAsync();

        string[] sent = [];
        await ShakeHandsAsync(server, (_, shown, chain, _) =>
        {
            sent = [shown!.Subject, .. chain!.ChainPolicy.ExtraStore.Select(static certificate => certificate.Subject)];
            return true;
        });

        Assert.Contains("CN=admin", sent);
        Assert.Contains("CN=middle", sent);
    }

    [Fact]
    public async Task A_renewed_certificate_is_taken_up_while_the_server_runs()
    {
        WritePair("admin.pem", "admin.key", "first");
        await using var server = await StartAsync();

        var second = WritePair("admin.pem", "admin.key", "second");

        await ShowsAsync(server, second);
        Assert.Contains(server.Log.Lines, static line => line.Text.StartsWith("1211:", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_certificate_behind_a_link_is_taken_up_when_the_link_is_swung()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The link is swung by a program of Linux.");

        // As Kubernetes mounts secrets: tls.crt -> ..data/tls.crt, and ..data -> a folder for each version.
        Directory.CreateDirectory(_folder.File("v1"));
        Directory.CreateDirectory(_folder.File("v2"));
        WritePair("v1/admin.pem", "v1/admin.key", "first");
        var second = WritePair("v2/admin.pem", "v2/admin.key", "second");
        File.CreateSymbolicLink(_folder.File("..data"), "v1");
        File.CreateSymbolicLink(_folder.File("admin.pem"), "..data/admin.pem");
        File.CreateSymbolicLink(_folder.File("admin.key"), "..data/admin.key");
        await using var server = await StartAsync();

        File.CreateSymbolicLink(_folder.File("..new"), "v2");

        // The framework does not rename a link over another.
        using var move = Process.Start("mv", ["-T", _folder.File("..new"), _folder.File("..data")]);
        await move.WaitForExitAsync(Cancel);
        Assert.Equal(0, move.ExitCode);

        await ShowsAsync(server, second);
    }

    [Theory]
    [InlineData("admin.pem", "not a certificate")]
    [InlineData("admin.key", "not a key")]
    [InlineData("admin.key", null)]
    [InlineData("admin.pem", "another")]
    public async Task A_pair_that_cannot_be_used_leaves_the_old_one_in_force_and_is_told_once(string file, string? content)
    {
        var first = WritePair("admin.pem", "admin.key", "first");
        await using var server = await StartAsync();

        if (content is null)
        {
            File.Delete(_folder.File(file));
        }
        else if (content == "another")
        {
            WritePair("admin.pem", "other.key", "another");
        }
        else
        {
            _folder.Write(file, content);
        }

        await Wait.UntilAsync(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(5));
            return Kept(server) > 0;
        });
        _time.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(first, await ShownAsync(server));
        Assert.Equal(1, Kept(server));

        // And what is whole again counts.
        await ShowsAsync(server, WritePair("admin.pem", "admin.key", "third"));
    }

    [Theory]
    [InlineData("nothing at all")]
    [InlineData(null)]
    public async Task A_server_whose_certificate_cannot_be_used_does_not_start(string? certificate)
    {
        if (certificate is not null)
        {
            _folder.Write("admin.pem", certificate);
        }

        WritePair("unused.pem", "admin.key", "first");

        var e = await Assert.ThrowsAsync<StartupException>(StartAsync);

        Assert.Contains(_folder.File("admin.pem"), e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Theory]
    [InlineData("Admin:CertificateFile")]
    [InlineData("Admin:CertificateKeyFile")]
    public async Task One_file_without_the_other_is_refused(string option)
    {
        var e = await Assert.ThrowsAsync<OptionsValidationException>(() => StartPlainAsync((option, "file")));

        Assert.Contains("together", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plain_http_beyond_loopback_is_warned_of_and_only_that()
    {
        await using var open = await StartPlainAsync(("Admin:Address", "0.0.0.0"));
        Assert.Contains(open.Log.Lines, static line => line.Level == LogLevel.Warning && line.Text.StartsWith("1213:", StringComparison.Ordinal));

        await using var closed = await StartPlainAsync();
        Assert.DoesNotContain(closed.Log.Lines, static line => line.Text.StartsWith("1213:", StringComparison.Ordinal));

        WritePair("admin.pem", "admin.key", "first");
        await using var safe = await StartAsync(("Admin:Address", "0.0.0.0"));
        Assert.DoesNotContain(safe.Log.Lines, static line => line.Text.StartsWith("1213:", StringComparison.Ordinal));
    }

    private static int Kept(AdminServer server) =>
        server.Log.Lines.Count(static line => line.Level == LogLevel.Error && line.Text.StartsWith("1212:", StringComparison.Ordinal));

    private Task<AdminServer> StartAsync() => StartAsync([]);

    private Task<AdminServer> StartAsync(params (string Key, string Value)[] more) =>
        StartPlainAsync([("Admin:CertificateFile", _folder.File("admin.pem")), ("Admin:CertificateKeyFile", _folder.File("admin.key")), .. more]);

    private Task<AdminServer> StartPlainAsync(params (string Key, string Value)[] settings) => AdminServer.StartAsync(
        _folder,
        builder =>
        {
            builder.Services.AddSingleton<TimeProvider>(_time);
            builder.Services.TryAddSingleton<IAuditWriter, NoAudit>();
        },
        settings);

    private string WritePair(string certificateFile, string keyFile, string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        _folder.Write(certificateFile, certificate.ExportCertificatePem());
        _folder.Write(keyFile, key.ExportPkcs8PrivateKeyPem());
        return certificate.GetCertHashString();
    }

    private Task ShowsAsync(AdminServer server, string thumbprint) => Wait.UntilAsync(async () =>
    {
        _time.Advance(TimeSpan.FromSeconds(5));
        return await ShownAsync(server) == thumbprint;
    });

    private static async Task<string> ShownAsync(AdminServer server)
    {
        var shown = "";
        await ShakeHandsAsync(server, (_, certificate, _, _) => (shown = certificate!.GetCertHashString()).Length > 0);
        return shown;
    }

    private static async Task ShakeHandsAsync(AdminServer server, RemoteCertificateValidationCallback look)
    {
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(IPAddress.Loopback, server.Client.BaseAddress!.Port, Cancel);
        await using var tls = new SslStream(tcp.GetStream());
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions { TargetHost = "admin", RemoteCertificateValidationCallback = look }, Cancel);
    }

    private sealed class NoAudit : IAuditWriter
    {
        public Task WriteAsync(AuditEvent happened, CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
