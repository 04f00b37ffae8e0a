using System.Collections.Concurrent;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.MessageServer.Persistence.Sqlite;

/// <summary>
/// Mailboxes in SQLite, by SQL of its own: EF Core's change tracking costs ten times the statements. SQLite's calls are
/// synchronous, so nothing here is ever pending.
/// </summary>
internal sealed class SqliteMailboxStore(SqliteDatabase database) : IMailboxStore, IDisposable
{
    private readonly ConcurrentBag<SqliteReader> _readers = [];
    private SqliteWriter? _writer;

    public ValueTask WriteAsync(IReadOnlyList<StoreWrite> writes, DateTimeOffset now)
    {
        try
        {
            var writer = _writer ??= new SqliteWriter(database);
            writer.Begin();
            for (var i = 0; i < writes.Count; i++)
            {
                Carry(writer, writes[i], now);
            }

            writer.Commit();
            return ValueTask.CompletedTask;
        }
        catch
        {
            // The connection may be what failed.
            _writer?.Dispose();
            _writer = null;
            throw;
        }
    }

    public ValueTask<IReadOnlyList<MailboxState>> FindAsync(ClientId client) =>
        new(Read(client, static (reader, client) => reader.Find(client)));

    public ValueTask<(long LastNumber, IReadOnlyList<SentId> Ids)> ReadSentAsync(long mailbox) =>
        new(Read(mailbox, static (reader, mailbox) => reader.ReadSent(mailbox)));

    public ValueTask<IReadOnlyList<StoredEnvelope>> ReadAsync(
        long mailbox, long after, DateTimeOffset now, int maxCount, long maxBytes) =>
        new(Read(
            (mailbox, after, now, maxCount, maxBytes),
            static (reader, asked) => reader.Read(asked.mailbox, asked.after, asked.now, asked.maxCount, asked.maxBytes)));

    public ValueTask<long> ReadNewestAsync(long mailbox, DateTimeOffset now) =>
        new(Read((mailbox, now), static (reader, asked) => reader.ReadNewest(asked.mailbox, asked.now)));

    public ValueTask<PrekeyStock> ReadPrekeyStockAsync(long mailbox) =>
        new(Read(mailbox, static (reader, mailbox) => reader.PrekeyStock.Read(mailbox)));

    public ValueTask<IReadOnlyList<QueueState>> ReadQueuesAsync(QueuePosition? after, int maxCount) =>
        new(Read((after, maxCount), static (reader, asked) => reader.Queues.Read(asked.after, asked.maxCount)));

    public ValueTask<IReadOnlyList<QueueState>> FindQueuesAsync(QueueFilter filter) =>
        new(Read(filter, static (reader, filter) => reader.Queues.Find(filter)));

    public ValueTask<IReadOnlyList<(long Mailbox, DateTimeOffset AcceptedAt)>> ReadOldestAsync() =>
        new(Read(0, static (reader, _) => reader.Queues.ReadOldest()));

    public ValueTask<(IReadOnlyList<MeasuredMailbox> Measured, bool HasMore)> MeasureAsync(long after, int limit) =>
        new(Read((after, limit), static (reader, asked) => reader.Measure.From(asked.after, asked.limit)));

    public ValueTask<long> CountMailboxesAsync() => new(Read(0, static (reader, _) => reader.Queues.Count()));

    public ValueTask<IReadOnlyList<DevicePrekeyStock>> ReadPrekeyStocksAsync(QueuePosition? after, int maxCount) =>
        new(Read((after, maxCount), static (reader, asked) => reader.Queues.ReadPrekeys(asked.after, asked.maxCount)));

    public ValueTask<IReadOnlyList<DevicePrekeyStock>> FindPrekeyStocksAsync(QueueFilter filter) =>
        new(Read(filter, static (reader, filter) => reader.Queues.FindPrekeys(filter)));

    public ValueTask<long> ReadSizeAsync() => new(Read(0, static (reader, _) => reader.ReadSize()));

    public void Dispose()
    {
        _writer?.Dispose();
        while (_readers.TryTake(out var reader))
        {
            reader.Dispose();
        }
    }

    private TResult Read<TAsked, TResult>(TAsked asked, Func<SqliteReader, TAsked, TResult> read)
    {
        if (!_readers.TryTake(out var reader))
        {
            reader = new SqliteReader(database);
        }

        try
        {
            var result = read(reader, asked);
            _readers.Add(reader);
            return result;
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    private static void Carry(SqliteWriter writer, StoreWrite write, DateTimeOffset now)
    {
        switch (write)
        {
            case AppendWrite append:
                writer.Append(append.MailboxId, append.Envelope, append.ExpiresAt);
                break;
            case AcknowledgeWrite acknowledge:
                acknowledge.Result = writer.Delete(acknowledge.Mailbox, acknowledge.Ranges);
                break;
            case ReserveWrite reserve:
                writer.Reserve(reserve.Mailbox, reserve.Through);
                break;
            case RememberWrite remember:
                writer.Remember(remember.Mailbox, remember.Number, remember.Ids);
                break;
            case OpenMailboxWrite open:
                open.Result = writer.OpenMailbox(open.Device, open.ClientName, now);
                break;
            case CloseMailboxWrite close:
                close.Mailbox = writer.CloseMailbox(close.Device);
                close.Result = close.Mailbox != 0;
                break;
            case UploadPrekeysWrite upload:
                upload.Result = writer.Prekeys.Upload(upload, now);
                break;
            case TakePrekeysWrite take:
                take.Result = writer.Prekeys.Take(take);
                break;
            case SweepWrite sweep:
                (sweep.Result, sweep.HasMore) = writer.Sweep(now, sweep.IdsBefore, sweep.Limit);
                break;
            case DiscardWrite discard:
                discard.Result = writer.DeleteOld(discard.Mailbox, discard.Through, discard.AcceptedBefore, discard.Limit);
                break;
            case MeasureWrite measure:
                (measure.Result, measure.HasMore) = writer.MeasureFrom(measure.After, measure.Limit);
                break;
            case ProbeWrite:
                writer.Probe();
                break;
            default:
                throw new NotSupportedException($"The store does not know {write.GetType().Name}.");
        }
    }
}
