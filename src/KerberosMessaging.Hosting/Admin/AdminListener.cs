using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Admin;

/// <summary>Where the admin API really listens, known once the server has started.</summary>
public sealed partial class AdminListener
{
    private ListenOptions? _listen;
    private string _scheme = Uri.UriSchemeHttp;

    /// <summary>
    /// The address of the admin API with the port in use, or <see langword="null"/> when <see cref="ListenAdmin"/> was not
    /// called. Before the server has started the port is the configured one.
    /// </summary>
    public Uri? Address => _listen?.IPEndPoint is { } endpoint
        ? new UriBuilder(_scheme, endpoint.Address.ToString(), endpoint.Port).Uri
        : null;

    /// <summary>Makes Kestrel listen where <see cref="AdminOptions"/> say; to be called in <c>ConfigureKestrel</c>.</summary>
    /// <param name="kestrel">Kestrel's options.</param>
    /// <exception cref="Startup.StartupException">The certificate cannot be used.</exception>
    public static void ListenAdmin(KestrelServerOptions kestrel)
    {
        ArgumentNullException.ThrowIfNull(kestrel);

        var services = kestrel.ApplicationServices;
        var options = services.GetRequiredService<IOptions<AdminOptions>>().Value;
        var listener = services.GetRequiredService<AdminListener>();
        var certificate = services.GetRequiredService<AdminCertificate>();
        var address = IPAddress.Parse(options.Address);

        kestrel.AddServerHeader = false;
        kestrel.Listen(address, options.Port, listen =>
        {
            if (certificate.IsConfigured)
            {
                certificate.Load();
                listener._scheme = Uri.UriSchemeHttps;
                UseCertificate(listen, certificate);
            }
            else
            {
                // HTTP/2 without TLS needs prior knowledge that no browser has.
                listen.Protocols = HttpProtocols.Http1;
                if (!IPAddress.IsLoopback(address))
                {
                    Log.Plain(services.GetRequiredService<ILogger<AdminListener>>(), address);
                }
            }

            listener._listen = listen;
        });
    }

    private static void UseCertificate(ListenOptions listen, AdminCertificate certificate)
    {
        listen.Protocols = HttpProtocols.Http1AndHttp2;
        listen.UseHttps(new TlsHandshakeCallbackOptions
        {
            // Asked at each handshake, so that a renewed certificate counts at once.
            OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions
            {
                ServerCertificateContext = certificate.Current,
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            }),
        });
    }

    private static partial class Log
    {
        [LoggerMessage(1213, LogLevel.Warning, "The admin API listens on {Address} without TLS: whoever can watch that network can take an admin token from it. Set Admin:CertificateFile and Admin:CertificateKeyFile, or keep the network closed.")]
        public static partial void Plain(ILogger logger, IPAddress address);
    }
}
