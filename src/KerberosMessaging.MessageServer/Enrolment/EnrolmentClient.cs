using System.Security.Cryptography;
using System.Text;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.MessageServer.Realm;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;
using KerberosMessaging.Transport;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.MessageServer.Enrolment;

/// <summary>Asks the auth server to make this server a member of its realm.</summary>
internal sealed class EnrolmentClient(IOptions<RealmOptions> options, WireListener listener, TimeProvider time)
{
    private readonly RealmOptions _options = options.Value;

    private string Address => $"{_options.Host}:{_options.Port}";

    public static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));

    /// <summary>Tries once.</summary>
    /// <param name="token">The one-time token.</param>
    /// <param name="signingKey">The key that is to sign this server's handshakes; the same at each try with this token.</param>
    /// <param name="isRealm">Whether a public key is the realm's.</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <exception cref="EnrolmentException">It did not succeed; the message says why.</exception>
    public async Task<EnrolledServer> EnrolAsync(
        string token, Ed25519PrivateKey signingKey, SigningKeyCheck isRealm, CancellationToken cancellationToken)
    {
        var own = _options.Advertise(listener.EndPoint.Port);
        var reply = await SendAsync(
            channelBinding => new RegisterServerRequest(
                token,
                own.Name,
                own.Host,
                own.Port,
                signingKey.PublicKey.ToArray(),
                signingKey.Sign(ServerProof.EnrolmentSignedBytes(channelBinding.Span, token))),
            isRealm,
            cancellationToken);

        // The auth server signs its handshake with the realm key, so both must be the key that was pinned.
        return isRealm(reply.Keys.RealmKey)
            ? new EnrolledServer(reply.Server, signingKey, reply.Keys.RealmKey, reply.Keys.Take(), Hash(token))
            : throw new EnrolmentException($"the auth server at {Address} states a realm key that is not the pinned one", needsOperator: true);
    }

    private async Task<ServerRegistered> SendAsync(
        Func<ReadOnlyMemory<byte>, RegisterServerRequest> request,
        SigningKeyCheck isRealm,
        CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await RequestConnection.ConnectAsync(
                _options.Host, _options.Port, isRealm, new ChannelOptions { Time = time }, onPush: null, cancellationToken);
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
}
