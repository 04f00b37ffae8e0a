using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KerberosMessaging.Hosting.Startup;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Admin;

/// <summary>
/// The certificate of the admin port, which is renewed without a restart. The files are compared by their content, since a renewal may
/// write them, rename others over them, or swing a symbolic link above them (as Kubernetes does), and no notification covers all three.
/// </summary>
internal sealed partial class AdminCertificate(IOptions<AdminOptions> options, TimeProvider time, ILogger<AdminCertificate> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly AdminOptions _options = options.Value;
    private byte[] _seen = [];
    private bool _isUnreadable;

    // Handshakes may still be at work with one that was replaced, so none is disposed of: the finalizer does that.
    private volatile SslStreamCertificateContext? _current;

    /// <summary>Whether there is to be one.</summary>
    public bool IsConfigured => _options.HasCertificate;

    /// <summary>The certificate in force.</summary>
    /// <exception cref="InvalidOperationException">It was not loaded.</exception>
    public SslStreamCertificateContext Current => _current ?? throw new InvalidOperationException("The certificate is not loaded yet.");

    /// <summary>Loads the files for the first time.</summary>
    /// <exception cref="StartupException">They cannot be read, or are not a certificate and its key.</exception>
    public void Load()
    {
        try
        {
            var (certificate, key) = ReadFiles();
            (_seen, _current) = (Digest(certificate, key), Open(certificate, key));
        }
        catch (Exception e) when (IsUnreadable(e) || IsBroken(e))
        {
            throw new StartupException(
                $"the admin certificate '{_options.CertificateFile}' with the key '{_options.CertificateKeyFile}' cannot be used: {OneLine(e)}", e);
        }
    }

    /// <summary>Takes up what has changed; what cannot be used is told, and leaves the certificate in force.</summary>
    public void Refresh()
    {
        byte[] certificate, key;
        try
        {
            (certificate, key) = ReadFiles();
            _isUnreadable = false;
        }
        catch (Exception e) when (IsUnreadable(e))
        {
            if (!_isUnreadable)
            {
                Log.Kept(logger, OneLine(e));
            }

            _isUnreadable = true;
            return;
        }

        var digest = Digest(certificate, key);
        if (digest.AsSpan().SequenceEqual(_seen))
        {
            return;
        }

        _seen = digest;
        try
        {
            var opened = Open(certificate, key);
            _current = opened;
            Log.Renewed(logger, opened.TargetCertificate.NotAfter.ToUniversalTime());
        }
        catch (Exception e) when (IsBroken(e))
        {
            Log.Kept(logger, OneLine(e));
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!IsConfigured)
        {
            return;
        }

        try
        {
            using var timer = new PeriodicTimer(Interval, time);
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                Refresh();
            }
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    private (byte[] Certificate, byte[] Key) ReadFiles() =>
        (File.ReadAllBytes(_options.CertificateFile!), File.ReadAllBytes(_options.CertificateKeyFile!));

    private static byte[] Digest(byte[] certificate, byte[] key) => [.. SHA256.HashData(certificate), .. SHA256.HashData(key)];

    private static SslStreamCertificateContext Open(byte[] certificate, byte[] key)
    {
        var secret = Encoding.UTF8.GetChars(key);
        CryptographicOperations.ZeroMemory(key);
        try
        {
            var text = Encoding.UTF8.GetString(certificate);
            var own = X509Certificate2.CreateFromPem(text, secret);
            var chain = new X509Certificate2Collection();
            chain.ImportFromPem(text);
            return SslStreamCertificateContext.Create(Usable(own), chain, offline: true);
        }
        finally
        {
            Array.Clear(secret);
        }
    }

    // Windows' TLS does not take a key that lives in memory alone.
    private static X509Certificate2 Usable(X509Certificate2 certificate) =>
        OperatingSystem.IsWindows()
            ? X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), password: null)
            : certificate;

    private static bool IsUnreadable(Exception e) => e is IOException or UnauthorizedAccessException;

    private static bool IsBroken(Exception e) => e is CryptographicException or ArgumentException;

    private static string OneLine(Exception e) => e.Message.ReplaceLineEndings(" ");

    private static partial class Log
    {
        [LoggerMessage(1211, LogLevel.Information, "The admin port has a new certificate, good until {NotAfter}.")]
        public static partial void Renewed(ILogger logger, DateTime notAfter);

        [LoggerMessage(1212, LogLevel.Error, "The admin port keeps its certificate, because the new one cannot be used: {Reason}")]
        public static partial void Kept(ILogger logger, string reason);
    }
}
