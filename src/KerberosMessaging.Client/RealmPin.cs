using System.Security.Cryptography;
using KerberosMessaging.Transport;

namespace KerberosMessaging.Client;

/// <summary>A realm that the user trusts: where its auth server is, and the key that it must prove.</summary>
public sealed record RealmPin
{
    /// <summary>Host name or address of the auth server.</summary>
    public required string Host { get; init; }

    /// <summary>TCP port of the auth server.</summary>
    public required int Port { get; init; }

    /// <summary>SHA-256 of the realm's Ed25519 public key: 64 lower-case hexadecimal digits.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>Asks a server for its key. The answer proves that the server holds the key, not that it is the right one: a person must compare.</summary>
    /// <param name="host">Host name or address of the auth server.</param>
    /// <param name="port">TCP port of the auth server.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="MessagingException">The server cannot be reached or does not speak the protocol.</exception>
    public static async Task<RealmPin> ProbeAsync(string host, int port, CancellationToken cancellationToken)
    {
        var fingerprint = "";
        await Connections.Failures.TranslateAsync($"the auth server at {host}:{port}", async () =>
        {
            await using var connection = await RequestConnection.ConnectAsync(
                host,
                port,
                key =>
                {
                    fingerprint = FingerprintOf(key);
                    return true;
                },
                new ChannelOptions(),
                null,
                cancellationToken).ConfigureAwait(false);
            return connection.Channel.Server;
        }).ConfigureAwait(false);
        return new RealmPin { Host = host, Port = port, Fingerprint = fingerprint };
    }

    /// <summary>The fingerprint of a public key.</summary>
    /// <param name="signingKey">32 bytes.</param>
    public static string FingerprintOf(ReadOnlySpan<byte> signingKey) => Convert.ToHexStringLower(SHA256.HashData(signingKey));

    /// <summary>Reads a fingerprint as people write it: case, colons and spaces do not matter.</summary>
    /// <param name="text">As typed.</param>
    /// <param name="fingerprint">64 lower-case hexadecimal digits.</param>
    public static bool TryParseFingerprint(string text, out string fingerprint)
    {
        fingerprint = text.Replace(":", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant();
        return fingerprint.Length == 64 && fingerprint.All(char.IsAsciiHexDigit);
    }

    internal bool IsExpectedKey(ReadOnlySpan<byte> signingKey) => FingerprintOf(signingKey) == Fingerprint;
}
