using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Admin;

/// <summary>Where the admin API really listens, known once the server has started.</summary>
public sealed class AdminListener
{
    private ListenOptions? _listen;

    /// <summary>
    /// The address of the admin API with the port in use, or <see langword="null"/> when <see cref="ListenAdmin"/> was not
    /// called. Before the server has started the port is the configured one.
    /// </summary>
    public Uri? Address => _listen?.IPEndPoint is { } endpoint
        ? new UriBuilder(Uri.UriSchemeHttp, endpoint.Address.ToString(), endpoint.Port).Uri
        : null;

    /// <summary>Makes Kestrel listen where <see cref="AdminOptions"/> say; to be called in <c>ConfigureKestrel</c>.</summary>
    /// <param name="kestrel">Kestrel's options.</param>
    public static void ListenAdmin(KestrelServerOptions kestrel)
    {
        ArgumentNullException.ThrowIfNull(kestrel);

        var services = kestrel.ApplicationServices;
        var options = services.GetRequiredService<IOptions<AdminOptions>>().Value;
        var listener = services.GetRequiredService<AdminListener>();

        kestrel.AddServerHeader = false;
        kestrel.Listen(IPAddress.Parse(options.Address), options.Port, listen =>
        {
            // HTTP/2 without TLS needs prior knowledge that no browser has.
            listen.Protocols = HttpProtocols.Http1;
            listener._listen = listen;
        });
    }
}
