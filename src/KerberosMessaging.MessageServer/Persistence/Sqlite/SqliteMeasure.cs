using KerberosMessaging.MessageServer.Domain;
using Microsoft.Data.Sqlite;

namespace KerberosMessaging.MessageServer.Persistence.Sqlite;

/// <summary>Measures mailboxes, for the writer and for readers.</summary>
internal sealed class SqliteMeasure(SqliteConnection connection) : IDisposable
{
    private readonly SqliteStatement _next = new(connection, "SELECT Id FROM Envelopes WHERE Id > ?1 ORDER BY Id LIMIT 1");

    private readonly SqliteStatement _measure = new(
        connection, "SELECT COUNT(*), COALESCE(SUM(length(Body)), 0) FROM Envelopes WHERE Id BETWEEN ?1 AND ?2");

    /// <summary>What lies between two keys.</summary>
    public (int Count, long Bytes) Between(long from, long to)
    {
        try
        {
            _measure.Bind(1, from).Bind(2, to).Step();
            return ((int)_measure.Int64(0), _measure.Int64(1));
        }
        finally
        {
            _measure.Reset();
        }
    }

    /// <summary>Some of the mailboxes in which something waits; see <see cref="MeasureWrite"/>.</summary>
    public (IReadOnlyList<MeasuredMailbox> Measured, bool HasMore) From(long after, int limit)
    {
        var measured = new List<MeasuredMailbox>();
        for (var seen = 0; seen < limit;)
        {
            if (Next(after) is not { } mailbox)
            {
                return (measured, false);
            }

            var (count, bytes) = Between(EnvelopeKey.FirstOf(mailbox), EnvelopeKey.LastOf(mailbox));
            measured.Add(new MeasuredMailbox(mailbox, count, bytes));
            (after, seen) = (mailbox, seen + count);
        }

        return (measured, true);
    }

    public void Dispose()
    {
        _next.Dispose();
        _measure.Dispose();
    }

    private long? Next(long after)
    {
        try
        {
            return _next.Bind(1, EnvelopeKey.LastOf(after)).Step() ? EnvelopeKey.MailboxOf(_next.Int64(0)) : null;
        }
        finally
        {
            _next.Reset();
        }
    }
}
