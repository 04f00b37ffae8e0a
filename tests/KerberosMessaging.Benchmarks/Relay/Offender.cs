using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using KerberosMessaging.Benchmarks.Servers;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;

namespace KerberosMessaging.Benchmarks.Relay;

/// <summary>What somebody beside the measured pairs does.</summary>
internal enum Offence
{
    None,

    /// <summary>A recipient reads nothing.</summary>
    Unread,

    /// <summary>A recipient acknowledges nothing.</summary>
    Unacknowledged,

    /// <summary>A recipient reads a byte a second.</summary>
    Slow,

    /// <summary>2,000 connections never speak.</summary>
    Silent,

    /// <summary>A sender sends the largest messages for ever.</summary>
    Large,
}

/// <summary>A peer that takes and gives nothing back, with an accomplice who writes to it all the time.</summary>
internal sealed class Offender : IAsyncDisposable
{
    private const int SilentConnections = 2000;
    private const uint Credit = 1000;

    // As many requests a second as the server's default limits let one client make: the benchmark lifts those.
    private const int Burst = 16;
    private static readonly TimeSpan BurstTime = TimeSpan.FromMilliseconds(8);

    private readonly CancellationTokenSource _stop = new();
    private readonly ServerRealm _realm;
    private readonly Offence _offence;
    private readonly List<BenchmarkAccount> _accounts = [];
    private RequestConnection? _receiving;
    private RequestConnection? _sending;
    private Task _offending = Task.CompletedTask;

    private Offender(ServerRealm realm, Offence offence) => (_realm, _offence) = (realm, offence);

    /// <summary>Starts to offend.</summary>
    public static async Task<Offender> StartAsync(ServerRealm realm, Offence offence, CancellationToken cancellationToken)
    {
        var offender = new Offender(realm, offence);
        try
        {
            await offender.StartAsync(cancellationToken);
            return offender;
        }
        catch
        {
            await offender.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _offending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await (_receiving?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (_sending?.DisposeAsync() ?? ValueTask.CompletedTask);
        _accounts.ForEach(static account => account.Dispose());
        _stop.Dispose();
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        switch (_offence)
        {
            case Offence.None:
                return;
            case Offence.Silent:
                _offending = Task.WhenAll(Enumerable.Range(0, SilentConnections).Select(_ => Task.Run(StaySilentAsync, cancellationToken)));
                return;
            default:
                var (recipient, receiving) = await ConnectAsync("offended", OnPush, cancellationToken);
                (_, _sending) = await ConnectAsync("accomplice", null, cancellationToken);
                _receiving = receiving;
                await receiving.RequestAsync<CreditGranted>(new GrantCreditRequest(Credit), cancellationToken);
                _offending = Task.Run(() => SendAsync(recipient), cancellationToken);
                return;
        }
    }

    private async Task<(BenchmarkAccount Account, RequestConnection Connection)> ConnectAsync(
        string name, Func<MessageCode, ReadOnlyMemory<byte>, ValueTask>? onPush, CancellationToken cancellationToken)
    {
        var account = await BenchmarkAccount.RegisterAsync(_realm, name, cancellationToken);
        _accounts.Add(account);
        using var ticket = await account.LoginForServiceAsync(cancellationToken);
        var connection = await _realm.ConnectToMessageAsync(cancellationToken, onPush);
        await ticket.PresentAsync(connection, cancellationToken);
        return (account, connection);
    }

    // Nothing more is read before this has ended. A byte a second is that on average.
    private ValueTask OnPush(MessageCode code, ReadOnlyMemory<byte> payload)
    {
        switch (_offence)
        {
            case Offence.Unread:
                return new ValueTask(Task.Delay(Timeout.InfiniteTimeSpan, _stop.Token));
            case Offence.Slow:
                return new ValueTask(Task.Delay(TimeSpan.FromSeconds(payload.Length), _stop.Token));
            case Offence.Large when code == MessageCode.Deliver:
                var number = BinaryPrimitives.ReadUInt64BigEndian(payload.Span);
                _ = _receiving!.RequestAsync(new AcknowledgeRequest([new SequenceRange(number, number)], 1), _stop.Token);
                return ValueTask.CompletedTask;
            default:
                return ValueTask.CompletedTask;
        }
    }

    private async Task SendAsync(BenchmarkAccount recipient)
    {
        var blocks = _offence switch
        {
            Offence.Large => Stamp.MostBlocks,
            Offence.Unacknowledged => 12,
            _ => 1024,
        };
        DeviceEnvelope[] envelopes = [new(recipient.Device, Stamp.NewEnvelope(blocks))];
        while (!_stop.IsCancellationRequested)
        {
            var burst = _offence == Offence.Large ? 1 : Burst;
            await Task.WhenAll(Enumerable.Range(0, burst).Select(_ => TrySendAsync(recipient, envelopes)));
            if (_offence != Offence.Large)
            {
                await Task.Delay(BurstTime, _stop.Token);
            }
        }
    }

    private async Task TrySendAsync(BenchmarkAccount recipient, DeviceEnvelope[] envelopes)
    {
        try
        {
            await _sending!.RequestAsync(
                new SendMessageRequest(MessageId.New(), recipient.Client, TimeToLiveSeconds: 0, DeliveryKind.Durable, envelopes, LeftOut: []), _stop.Token);
        }
        catch (RequestRefusedException e) when (e.Error == ProtocolError.QuotaExceeded)
        {
            // The mailbox is full. It tries again and again.
        }
    }

    private async Task StaySilentAsync()
    {
        var buffer = new byte[256];
        while (!_stop.IsCancellationRequested)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, _realm.Message.Port, _stop.Token);
                while (await socket.ReceiveAsync(buffer, _stop.Token) > 0)
                {
                }
            }
            catch (SocketException)
            {
                // The server has ended it. It comes again.
            }
        }
    }
}
