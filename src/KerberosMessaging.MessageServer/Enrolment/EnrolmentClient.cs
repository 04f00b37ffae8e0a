using System.Security.Cryptography;
using KerberosMessaging.Cryptography;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;
using KerberosMessaging.Transport;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.MessageServer.Enrolment;

/// <summary>Asks the auth server to make this server a member of its realm.</summary>
internal sealed class EnrolmentClient(IOptions<RealmOptions> options, TimeProvider time)
{
    private readonly RealmOptions _options = options.Value;

    /// <summary>Tries once.</summary>
    /// <param name="signingKey">The key that is to sign this server's handshakes; the same at each try.</param>
    /// <param name="listeningPort">The port that this server listens on.</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <exception cref="EnrolmentException">It did not succeed; the message says why.</exception>
    public async Task<EnrolledServer> EnrolAsync(Ed25519PrivateKey signingKey, int listeningPort, CancellationToken cancellationToken)
    {
        var text = await ReadAsync(_options.Fingerprint, _options.FingerprintFile, "fingerprint", cancellationToken);
        if (!RealmFingerprint.TryParse(text, out var fingerprint))
        {
            throw new EnrolmentException($"the fingerprint file '{_options.FingerprintFile}' does not hold 64 hexadecimal digits", needsOperator: true);
        }

        var token = await ReadAsync(_options.EnrolmentToken, _options.EnrolmentTokenFile, "enrolment token", cancellationToken);
        var port = _options.AdvertisedPort == 0 ? listeningPort : _options.AdvertisedPort;
        var reply = await SendAsync(
            channelBinding => new RegisterServerRequest(
                token,
                _options.Name,
                _options.AdvertisedHost,
                (ushort)port,
                signingKey.PublicKey.ToArray(),
                signingKey.Sign(ServerProof.EnrolmentSignedBytes(channelBinding.Span, token))),
            fingerprint,
            cancellationToken);
        var newest = reply.Keys.ServiceKeys.MaxBy(static key => key.Version)!;
        using var serviceKey = new SecretBytes(newest.Key);
        foreach (var key in reply.Keys.ServiceKeys)
        {
            CryptographicOperations.ZeroMemory(key.Key);
        }

        // The auth server signs its handshake with the realm key, so both must be the key that was pinned.
        return RealmFingerprint.IsOf(fingerprint, reply.Keys.RealmKey)
            ? new EnrolledServer(
                reply.Server,
                signingKey,
                newest.Version,
                serviceKey.Clone(),
                reply.Keys.TicketSigningKeys.MaxBy(static key => key.Version)!.Key)
            : throw new EnrolmentException($"the auth server at {Address} states a realm key that is not the pinned one", needsOperator: true);
    }

    private string Address => $"{_options.Host}:{_options.Port}";

    private async Task<ServerRegistered> SendAsync(
        Func<ReadOnlyMemory<byte>, RegisterServerRequest> request,
        byte[] fingerprint,
        CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await RequestConnection.ConnectAsync(
                _options.Host,
                _options.Port,
                key => RealmFingerprint.IsOf(fingerprint, key),
                new ChannelOptions { Time = time },
                onPush: null,
                cancellationToken);
            return await connection.RequestAsync<ServerRegistered>(request(connection.Channel.ChannelBinding), cancellationToken);
        }
        catch (ChannelException e) when (e.Failure == ChannelFailure.UntrustedServer)
        {
            throw new EnrolmentException(
                $"the server at {Address} is not the realm with this fingerprint: correct Realm:Host, Realm:Port or Realm:Fingerprint", needsOperator: true, e);
        }
        catch (RequestRefusedException e) when (e.Error == ProtocolError.EnrolmentRefused)
        {
            throw new EnrolmentException(
                $"the auth server at {Address} refused the enrolment: the token is unknown, used or expired, or the name or address is not "
                + "acceptable; make a new enrolment token there and set Realm:EnrolmentToken or replace the content of Realm:EnrolmentTokenFile",
                needsOperator: true,
                e);
        }
        catch (Exception e) when (e is ChannelException or RequestRefusedException or ProtocolException)
        {
            throw new EnrolmentException($"the auth server at {Address} did not answer: {e.Message}", needsOperator: false, e);
        }
    }

    private static async Task<string> ReadAsync(string? value, string? file, string what, CancellationToken cancellationToken)
    {
        if (!string.IsNullOrWhiteSpace(value))
        {
            return value.Trim();
        }

        try
        {
            var text = (await File.ReadAllTextAsync(file!, cancellationToken)).Trim();
            return text.Length > 0
                ? text
                : throw new EnrolmentException($"the {what} file '{file}' is empty", needsOperator: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another server may still be about to write it.
            throw new EnrolmentException($"the {what} file '{file}' cannot be read yet", needsOperator: false, e);
        }
    }
}
