using System.Collections.Concurrent;
using System.Security.Cryptography;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.MessageServer.Persistence.Sqlite;

/// <summary>
/// Mailboxes in SQLite, by SQL of its own: EF Core's change tracking costs ten times the statements. SQLite's calls are
/// synchronous, so nothing here is ever pending.
/// </summary>
internal sealed class SqliteMailboxStore(SqliteDatabase database, IOptions<MailboxOptions> limits) : IMailboxStore, IDisposable
{
    private readonly MailboxOptions _limits = limits.Value;
    private readonly ConcurrentBag<SqliteReader> _readers = [];
    private readonly MailboxCache _cache = new();
    private readonly HashSet<CachedMailbox> _grown = [];
    private SqliteWriter? _writer;

    public ValueTask WriteAsync(IReadOnlyList<StoreWrite> writes, DateTimeOffset now)
    {
        try
        {
            _cache.Trim();
            var writer = _writer ??= new SqliteWriter(database);
            writer.Begin();
            foreach (var write in writes)
            {
                Carry(writer, write, now.ToUnixTimeMilliseconds());
            }

            foreach (var mailbox in _grown)
            {
                writer.SaveLastSequence(mailbox);
            }

            writer.Commit();
            return ValueTask.CompletedTask;
        }
        catch
        {
            // What the cache learned in this transaction is not true, and the connection may be what failed.
            _cache.Clear();
            _writer?.Dispose();
            _writer = null;
            throw;
        }
        finally
        {
            _grown.Clear();
        }
    }

    public ValueTask<IReadOnlyList<StoredEnvelope>> ReadAsync(
        long mailbox, long after, DateTimeOffset now, int maxCount, long maxBytes) =>
        new(Read(reader => reader.Read(mailbox, after, now.ToUnixTimeMilliseconds(), maxCount, maxBytes)));

    public ValueTask<long> ReadNewestAsync(long mailbox, DateTimeOffset now) =>
        new(Read(reader => reader.ReadNewest(mailbox, now.ToUnixTimeMilliseconds())));

    public ValueTask<PrekeyStock> ReadPrekeyStockAsync(long mailbox) =>
        new(Read(reader => reader.PrekeyStock.Read(mailbox)));

    public ValueTask<IReadOnlyList<QueueState>> ReadQueuesAsync(QueuePosition? after, int maxCount) =>
        new(Read(reader => reader.ReadQueues(after, maxCount)));

    public void Dispose()
    {
        _writer?.Dispose();
        while (_readers.TryTake(out var reader))
        {
            reader.Dispose();
        }
    }

    private T Read<T>(Func<SqliteReader, T> read)
    {
        if (!_readers.TryTake(out var reader))
        {
            reader = new SqliteReader(database);
        }

        try
        {
            var result = read(reader);
            _readers.Add(reader);
            return result;
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    private void Carry(SqliteWriter writer, StoreWrite write, long now)
    {
        switch (write)
        {
            case AppendWrite append:
                append.Result = Append(writer, append, now);
                break;
            case AcknowledgeWrite acknowledge:
                acknowledge.Result = acknowledge.Ranges.Sum(range => writer.DeleteRange(acknowledge.Mailbox, range, OnDeleted));
                break;
            case OpenMailboxWrite open:
                open.Result = Open(writer, open, now);
                break;
            case CloseMailboxWrite close:
                close.Result = writer.CloseMailbox(close.Device);
                _cache.RemoveDevice(close.Device);
                break;
            case UploadPrekeysWrite upload:
                upload.Result = writer.Prekeys.Upload(upload);
                break;
            case TakePrekeysWrite take:
                take.Result = writer.Prekeys.Take(take);
                break;
            case SweepWrite sweep:
                sweep.Result = writer.DeleteExpired(now, sweep.Limit, OnDeleted)
                    + writer.ForgetSent(sweep.IdsBefore.ToUnixTimeMilliseconds(), sweep.Limit);
                break;
            default:
                throw new NotSupportedException($"The store does not know {write.GetType().Name}.");
        }
    }

    private SendResult Append(SqliteWriter writer, AppendWrite append, long now)
    {
        var submission = append.Submission;
        var mailboxes = MailboxesOf(writer, submission.Recipient);
        if (Refuse(submission, mailboxes) is { } refusal)
        {
            // A repeat is answered as the first was, even if the recipient has other devices or a full mailbox by now.
            return AnswerRepeat(writer, submission) ?? refusal;
        }

        if (!writer.TryInsertSent(submission, now))
        {
            return AnswerRepeat(writer, submission)!;
        }

        var expiresAt = now + (long)append.TimeToLive.TotalMilliseconds;
        foreach (var (device, body) in submission.Envelopes)
        {
            var mailbox = mailboxes.Find(mailbox => mailbox.Device.Device == device)!;
            writer.InsertEnvelope(mailbox.Id, mailbox.Add(body.Length), submission, body, now, expiresAt);
            _grown.Add(mailbox);
        }

        return SendResult.Accepted(DateTimeOffset.FromUnixTimeMilliseconds(now));
    }

    private static SendResult? AnswerRepeat(SqliteWriter writer, Submission submission) => writer.FindSent(submission) switch
    {
        null => null,
        { } sent when CryptographicOperations.FixedTimeEquals(sent.Digest, submission.Digest) =>
            SendResult.Accepted(DateTimeOffset.FromUnixTimeMilliseconds(sent.AcceptedAt)),
        _ => SendResult.Refused(SendStatus.MessageIdReused),
    };

    private SendResult? Refuse(Submission submission, List<CachedMailbox> mailboxes)
    {
        if (mailboxes.Count == 0)
        {
            return SendResult.Refused(SendStatus.UnknownClient);
        }

        var asked = submission.Envelopes.Select(static envelope => envelope.Device).ToHashSet();
        var unknown = asked.Where(device => !mailboxes.Exists(mailbox => mailbox.Device.Device == device)).ToArray();

        // Whoever writes to itself means its other devices.
        var missing = mailboxes
            .Where(mailbox => !asked.Contains(mailbox.Device.Device) && mailbox.Device != submission.Sender)
            .Select(static mailbox => mailbox.Device.Device).ToArray();
        if (unknown.Length > 0 || missing.Length > 0)
        {
            return SendResult.Mismatched(unknown, missing);
        }

        return submission.Envelopes.All(envelope =>
            mailboxes.Find(mailbox => mailbox.Device.Device == envelope.Device)!.HasRoomFor(envelope.Body.Length, _limits))
            ? null
            : SendResult.Refused(SendStatus.QuotaExceeded);
    }

    private long? Open(SqliteWriter writer, OpenMailboxWrite open, long now)
    {
        var mailboxes = MailboxesOf(writer, open.Device.Client);
        var isKnown = mailboxes.Exists(mailbox => mailbox.Device == open.Device);
        if (!isKnown && mailboxes.Count >= ProtocolLimits.DevicesPerClient)
        {
            return null;
        }

        var id = writer.OpenMailbox(open.Device, open.ClientName, now);
        if (isKnown)
        {
            return id;
        }

        var mailbox = new CachedMailbox(id, open.Device, lastSequence: 0, count: 0, bytes: 0);
        if (mailboxes.Count == 0)
        {
            _cache.Add(open.Device.Client, [mailbox]);
        }
        else
        {
            _cache.AddDevice(mailbox);
        }

        return id;
    }

    private List<CachedMailbox> MailboxesOf(SqliteWriter writer, ClientId client)
    {
        if (_cache.TryGet(client, out var mailboxes))
        {
            return mailboxes;
        }

        // Unknown clients are not cached: whoever asks for random ones must not fill the memory.
        mailboxes = writer.FindMailboxes(client);
        if (mailboxes.Count > 0)
        {
            _cache.Add(client, mailboxes);
        }

        return mailboxes;
    }

    private void OnDeleted(long mailbox, int length) => _cache.Find(mailbox)?.Remove(length);
}
