using System.Security.Cryptography;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;
using KerberosMessaging.Transport;

namespace KerberosMessaging.Benchmarks.Servers;

/// <summary>A registered client with one device, which speaks the protocol as the SDK does but keeps nothing on disk.</summary>
internal sealed class BenchmarkAccount : IDisposable
{
    /// <summary>
    /// How this client stretches its password, whatever the server asks for. Argon2id with 64 MiB takes the client 110 ms, far
    /// more than a login takes the server, and a load that is always stretching measures nothing. The server takes no part
    /// in stretching and cannot see it: it stores a record of the same form and does the same work. Only the entrances for
    /// published test vectors, internal to the cryptography, go along with this; real clients refuse such a realm.
    /// </summary>
    private static readonly StretchingParameters Unstretched = new(StretchingAlgorithm.Identity, Iterations: 0, MemoryKiB: 0);

    private readonly ServerRealm _realm;
    private readonly string _name;
    private readonly SecretBytes _password = SecretBytes.Random(16);
    private readonly Ed25519PrivateKey _deviceKey = Ed25519PrivateKey.Generate();
    private readonly byte[] _deviceIdentity;

    private BenchmarkAccount(ServerRealm realm, string name)
    {
        _realm = realm;
        _name = name;
        using var agreement = X25519PrivateKey.Generate();
        _deviceIdentity = [.. _deviceKey.PublicKey.Span, .. agreement.PublicKey.Span];
    }

    /// <summary>The id that the realm gave it.</summary>
    public ClientId Client { get; private set; }

    /// <summary>Its device, which the realm knows from the first login on.</summary>
    public DeviceId Device { get; } = DeviceId.New();

    /// <summary>Registers a new client.</summary>
    public static async Task<BenchmarkAccount> RegisterAsync(ServerRealm realm, string name, CancellationToken cancellationToken)
    {
        var account = new BenchmarkAccount(realm, name);
        await using var connection = await realm.ConnectToAuthAsync(cancellationToken);
        using var registration = OpaqueClientRegistration.Start(account._password.Span);
        var challenge = await connection.RequestAsync<RegistrationChallenge>(
            new RegisterClientRequest(name, "", registration.Request.ToArray()), cancellationToken);
        if (!registration.TryFinish(
            challenge.RegistrationResponse, Unstretched, [], [], RandomNumberGenerator.GetBytes(32), out var result))
        {
            throw new InvalidOperationException("The registration response is not well-formed.");
        }

        using (result)
        {
            var registered = await connection.RequestAsync<ClientRegistered>(
                new FinishRegistrationRequest(name, result.Record, challenge.Stretching), cancellationToken);
            account.Client = registered.Client;
        }

        return account;
    }

    /// <summary>AS exchange on an open channel, which is signed in by it.</summary>
    /// <returns>The ticket-granting ticket, owned by the caller.</returns>
    public async Task<HeldTicket> LoginAsync(RequestConnection connection, CancellationToken cancellationToken)
    {
        var binding = connection.Channel.ChannelBinding;
        using var login = OpaqueClientLogin.Start(_password.Span);
        var challenge = await connection.RequestAsync<LoginChallenge>(
            new StartLoginRequest(_name, login.Ke1.ToArray()), cancellationToken);
        if (!login.TryFinishUnchecked(
            challenge.Ke2, Unstretched, [], [], LoginProof.OpaqueContext(binding.Span), out var result))
        {
            throw new InvalidOperationException("The server did not prove the password's record.");
        }

        using (result)
        {
            var signature = _deviceKey.Sign(LoginProof.DeviceSignedBytes(binding.Span, result.Ke3, Device, _deviceIdentity));
            var granted = await connection.RequestAsync<TicketGranted>(
                new FinishLoginRequest(result.Ke3, Device, "benchmark", _deviceIdentity, signature), cancellationToken);
            using var part = AsReplyPart.TryOpen(granted.SealedPart, result.SessionKey, granted.Ticket)
                ?? throw new InvalidOperationException("The granted ticket does not open.");
            return new HeldTicket(granted.Ticket, part.SessionKey.Clone());
        }
    }

    /// <summary>TGS exchange on an open channel to the auth server.</summary>
    /// <returns>A service ticket for the realm's message server, owned by the caller.</returns>
    public async Task<HeldTicket> RequestServiceTicketAsync(
        RequestConnection connection, HeldTicket granting, CancellationToken cancellationToken)
    {
        var authenticator = Authenticator.For(connection.Channel.ChannelBinding.Span);
        var reply = await connection.RequestAsync<ServiceTicketReply>(
            new ServiceTicketRequest(
                granting.Ticket, authenticator.Seal(granting.SessionKey, ServiceTicketRequest.Code), _realm.MessageServer),
            cancellationToken);
        using var part = TgsReplyPart.TryOpen(reply.SealedPart, granting.SessionKey, reply.Ticket)
            ?? throw new InvalidOperationException("The service ticket's part does not open.");
        return new HeldTicket(reply.Ticket, part.SessionKey.Clone());
    }

    /// <summary>AS and TGS exchange on a connection of their own.</summary>
    /// <returns>A service ticket for the realm's message server, owned by the caller.</returns>
    public async Task<HeldTicket> LoginForServiceAsync(CancellationToken cancellationToken)
    {
        await using var connection = await _realm.ConnectToAuthAsync(cancellationToken);
        using var granting = await LoginAsync(connection, cancellationToken);
        return await RequestServiceTicketAsync(connection, granting, cancellationToken);
    }

    public void Dispose()
    {
        _password.Dispose();
        _deviceKey.Dispose();
    }
}
