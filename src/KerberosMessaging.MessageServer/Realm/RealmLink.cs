using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.MessageServer.Enrolment;
using KerberosMessaging.Protocol;
using KerberosMessaging.Transport;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.MessageServer.Realm;

/// <summary>
/// Holds this server's connection to the auth server for as long as it runs. Without one the server goes on serving: tickets
/// end by time, and what was revoked meanwhile comes with the next connection.
/// </summary>
internal sealed partial class RealmLink(
    Membership membership,
    Enroller enroller,
    IServiceProvider services,
    IOptions<RealmOptions> options,
    RealmMetrics metrics,
    TimeProvider time,
    ILogger<RealmLink> logger)
{
    /// <summary>How long a server that was refused waits before it asks again.</summary>
    public static readonly TimeSpan RefusedDelay = TimeSpan.FromSeconds(30);

    private readonly string _address = $"{options.Value.Host}:{options.Value.Port}";
    private readonly ReconnectDelay _delay = new(Random.Shared);
    private volatile LinkState _state;
    private string? _toldReason;

    /// <summary>Whether the auth server is connected, and tells of revocations.</summary>
    public bool IsFollowing => _state == LinkState.Following;

    /// <summary>Returns only when it is told to stop, by throwing.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        while (true)
        {
            var pause = await ConnectAsync(stopping);
            await Task.Delay(pause, time, stopping);
        }
    }

    // One connection from beginning to end; returns how long to wait before the next.
    private async Task<TimeSpan> ConnectAsync(CancellationToken stopping)
    {
        using var connecting = metrics.Connect();
        try
        {
            await ActivatorUtilities.CreateInstance<RealmSession>(services).RunAsync(
                () =>
                {
                    connecting?.Stop();
                    OnFollowing();
                },
                stopping);
            throw new InvalidOperationException("A session with the auth server ends by an exception.");
        }
        catch (RequestRefusedException e) when (e.Error == ProtocolError.EnrolmentRefused)
        {
            return await OnRefusedAsync(membership.Current!, stopping);
        }
        catch (ChannelException e) when (e.Failure == ChannelFailure.UntrustedServer)
        {
            Enter(LinkState.Untrusted, () => Log.Untrusted(logger, _address));
            return RefusedDelay;
        }
        catch (Exception e) when (e is ChannelException or RequestRefusedException or ProtocolException)
        {
            OnFailed(e.Message);
            return _delay.Next();
        }
        catch (Exception e) when (!stopping.IsCancellationRequested)
        {
            // A fault of ours must not take the mailboxes down with it.
            Log.Failed(logger, e);
            return _delay.Next();
        }
        finally
        {
            metrics.Down();
        }
    }

    private void OnFollowing()
    {
        _delay.Reset();
        metrics.Up();
        _toldReason = null;
        Enter(LinkState.Following, () => Log.Following(logger, _address));
    }

    private void OnFailed(string reason)
    {
        // An auth server that was only restarted is back at the next try.
        if (_state == LinkState.Following)
        {
            Enter(LinkState.Lost, () => Log.Lost(logger, _address, reason));
        }
        else
        {
            Enter(LinkState.Away, () => Log.Away(logger, _address, reason));
        }
    }

    private async Task<TimeSpan> OnRefusedAsync(EnrolledServer own, CancellationToken stopping)
    {
        try
        {
            if (await enroller.TryEnrolAnewAsync(own, stopping))
            {
                Log.EnrolledAnew(logger, own.Server);
                return TimeSpan.Zero;
            }
        }
        catch (EnrolmentException e)
        {
            if (e.Message != _toldReason)
            {
                _toldReason = e.Message;
                Log.NotEnrolledAnew(logger, e.Message);
            }
        }

        Enter(LinkState.Refused, () => Log.Refused(logger, _address, own.Server, RefusedDelay.TotalSeconds));
        return RefusedDelay;
    }

    private void Enter(LinkState state, Action tell)
    {
        if (_state != state)
        {
            _state = state;
            tell();
        }
    }

    private enum LinkState
    {
        Starting,
        Following,
        Lost,
        Away,
        Refused,
        Untrusted,
    }

    private static partial class Log
    {
        [LoggerMessage(3301, LogLevel.Information, "Connected to the auth server at {Address}: revocations take effect at once.")]
        public static partial void Following(ILogger logger, string address);

        [LoggerMessage(3302, LogLevel.Information, "The connection to the auth server at {Address} has ended and is made anew. {Reason}")]
        public static partial void Lost(ILogger logger, string address, string reason);

        [LoggerMessage(
            3303,
            LogLevel.Warning,
            "The auth server at {Address} is away; this server goes on serving, and learns of revocations when it is back. {Reason}")]
        public static partial void Away(ILogger logger, string address, string reason);

        [LoggerMessage(
            3304,
            LogLevel.Warning,
            "The auth server at {Address} refuses this server, {Server}: it is disabled there, its name or address is not acceptable, or its id was "
            + "enrolled anew by another. Enable it there, or make an enrolment token for this id and set Realm:EnrolmentToken or replace the content "
            + "of Realm:EnrolmentTokenFile. Until then no new tickets are made for it. It asks again every {Seconds} s.")]
        public static partial void Refused(ILogger logger, string address, ServerId server, double seconds);

        [LoggerMessage(
            3305,
            LogLevel.Warning,
            "The server at {Address} is not the realm that this server is enrolled in: correct Realm:Host or Realm:Port.")]
        public static partial void Untrusted(ILogger logger, string address);

        [LoggerMessage(3306, LogLevel.Information, "Enrolled anew as server {Server}.")]
        public static partial void EnrolledAnew(ILogger logger, ServerId server);

        [LoggerMessage(3307, LogLevel.Warning, "Not enrolled anew: {Reason}.")]
        public static partial void NotEnrolledAnew(ILogger logger, string reason);

        [LoggerMessage(3308, LogLevel.Error, "The connection to the auth server failed by a fault of this server; it is made anew.")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
