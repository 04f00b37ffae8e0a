using System.Data.Common;
using System.Security.Cryptography;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.MessageServer.Persistence;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;
using KerberosMessaging.Transport;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.MessageServer.Realm;

/// <summary>
/// One connection to the auth server, from its beginning to its end: proves this server's key, takes over the keys that it
/// is given, and follows the revocations.
/// </summary>
internal sealed partial class RealmSession(
    Membership membership,
    ServerIdentityStore store,
    RevocationFeed revocations,
    IOptions<RealmOptions> options,
    WireListener listener,
    TimeProvider time,
    ILogger<RealmSession> logger)
{
    /// <summary>How often the auth server is asked whether it is still there; the answer also says which keys there are.</summary>
    public static readonly TimeSpan SignOfLifeInterval = TimeSpan.FromSeconds(15);

    /// <summary>How long it has for an answer.</summary>
    public static readonly TimeSpan AnswerDeadline = TimeSpan.FromSeconds(10);

    private readonly RealmOptions _options = options.Value;

    // Completed by a push; another takes its place before the keys are fetched.
    private TaskCompletionSource _keysChanged = NewSignal();

    private (uint Service, uint TicketSigning) _confirmed;

    /// <summary>Connects and stays connected; returns only by throwing.</summary>
    /// <param name="onFollowing">Called once the revocations are followed.</param>
    /// <param name="stopping">Ends it.</param>
    /// <exception cref="ChannelException">The auth server cannot be reached, is not the realm's, or has gone.</exception>
    /// <exception cref="RequestRefusedException">It refused this server, or one of its requests.</exception>
    public async Task RunAsync(Action onFollowing, CancellationToken stopping)
    {
        var own = membership.Current!;
        await using var connection = await RequestConnection.ConnectAsync(
            _options.Host, _options.Port, key => key.SequenceEqual(own.RealmKey), new ChannelOptions { Time = time }, OnPush, stopping);
        await TakeKeysAsync(connection, await AskAsync<ServerKeys>(connection, Proof(own, connection), stopping), stopping);
        var asked = revocations.Position;
        var subscribed = await AskAsync<RevocationsSubscribed>(connection, new SubscribeRevocationsRequest(asked), stopping);
        if (subscribed.Newest < asked)
        {
            // The auth server's database was put back to an earlier state: its numbers come a second time.
            revocations.StartOver();
            throw new ChannelException(ChannelFailure.ConnectionLost, "The revocations start over.");
        }

        onFollowing();
        while (true)
        {
            await WaitAsync(connection, stopping);
            await TakeKeysAsync(connection, await AskAsync<ServerKeys>(connection, new FetchServerKeysRequest(), stopping), stopping);
        }
    }

    private AuthenticateServerRequest Proof(EnrolledServer own, RequestConnection connection)
    {
        var (name, host, port) = _options.Advertise(listener.EndPoint.Port);
        var signed = ServerProof.AuthenticationSignedBytes(connection.Channel.ChannelBinding.Span, own.Server, name, host, port);
        return new AuthenticateServerRequest(own.Server, name, host, port, own.SigningKey.Sign(signed));
    }

    private ValueTask OnPush(MessageCode code, ReadOnlyMemory<byte> payload)
    {
        switch (code)
        {
            case MessageCode.Revocations:
                revocations.Take(WireReader.ReadWhole<Revocations>(payload.Span));
                break;
            case MessageCode.ServerKeysChanged:
                Volatile.Read(ref _keysChanged).TrySetResult();
                break;
        }

        // The rest says why the connection is about to end, which shows soon enough.
        return ValueTask.CompletedTask;
    }

    // Until the keys have changed, or it is time for a sign of life.
    private async Task WaitAsync(RequestConnection connection, CancellationToken stopping)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        await Task.WhenAny(
            connection.Ended,
            Volatile.Read(ref _keysChanged).Task,
            Task.Delay(SignOfLifeInterval, time, waiting.Token));
        await waiting.CancelAsync();
        stopping.ThrowIfCancellationRequested();
        if (connection.Ended.IsCompleted)
        {
            throw await connection.Ended;
        }

        Volatile.Write(ref _keysChanged, NewSignal());
    }

    private async Task TakeKeysAsync(RequestConnection connection, ServerKeys given, CancellationToken stopping)
    {
        var keys = given.Take();
        if (!given.RealmKey.AsSpan().SequenceEqual(membership.Current!.RealmKey))
        {
            keys.Dispose();
            throw new ChannelException(ChannelFailure.UntrustedServer, "The auth server states another realm key than its own.");
        }

        var newest = (keys.NewestServiceKey, keys.NewestTicketSigningKey);
        if (keys.IsSameAs(membership.Current.Keys))
        {
            keys.Dispose();
        }
        else if (!await TryStoreAsync(keys, stopping))
        {
            keys.Dispose();
            return;
        }

        // Only now: the auth server makes tickets with what it hears here, and they must open after a crash too.
        if (newest != _confirmed)
        {
            await AskAsync<Done>(connection, new ConfirmServerKeysRequest(newest.NewestServiceKey, newest.NewestTicketSigningKey), stopping);
            _confirmed = newest;
        }
    }

    // A disk that is full must not end the stream of revocations; tickets go on under the keys before.
    private async Task<bool> TryStoreAsync(TicketKeySet keys, CancellationToken stopping)
    {
        try
        {
            await store.SaveKeysAsync(keys, stopping);
        }
        catch (Exception e) when (e is DbException or DbUpdateException or CryptographicException)
        {
            Log.NotStored(logger, e.GetBaseException().Message, SignOfLifeInterval.TotalSeconds);
            return false;
        }

        membership.Assume(keys);
        Log.KeysTaken(logger, keys.ToString());
        return true;
    }

    private async Task<T> AskAsync<T>(RequestConnection connection, IWireMessage request, CancellationToken stopping)
        where T : IWireMessage<T>
    {
        using var deadline = new CancellationTokenSource(AnswerDeadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, deadline.Token);
        try
        {
            return await connection.RequestAsync<T>(request, either.Token);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            throw new ChannelException(ChannelFailure.ConnectionLost, "The server did not answer in time.");
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static partial class Log
    {
        [LoggerMessage(3311, LogLevel.Information, "The realm gave this server its keys: {Versions}.")]
        public static partial void KeysTaken(ILogger logger, string versions);

        [LoggerMessage(3312, LogLevel.Error, "New keys from the realm could not be stored: {Reason}. The next try is in {Seconds} s.")]
        public static partial void NotStored(ILogger logger, string reason, double seconds);
    }
}
