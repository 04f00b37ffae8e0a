using System.Security.Cryptography;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Audit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>
/// Counts failed logins and makes guessing slow. A challenge (KE2) lets whoever asked for it try one password, so each is
/// counted from the moment it is asked for until KE3 proves the password.
/// <list type="bullet">
/// <item>Per name and address: a few failures are free, then the wait doubles with each, then the pair is locked for a while.</item>
/// <item>Per address, under whatever names: the same with higher numbers and shorter waits, since many people share an address.</item>
/// <item>Per name, from everywhere: only when many addresses are locked for it at once, and never for addresses that the
/// client has logged in from before. One address counts once, however often it fails: it can lock itself out, and nobody else.</item>
/// </list>
/// Names that do not exist are counted in the same way, so that nothing tells them apart. What is counted is in the
/// database too, and survives a restart.
/// </summary>
internal sealed class LoginGuard(AuthReader reader, AuthWriter writer, IOptions<LockoutOptions> options, TimeProvider time)
{
    // Some 20 MB; beyond it those that failed longest ago are forgotten first.
    private const int MostEntries = 100_000;

    private readonly LockoutOptions _options = options.Value;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Dictionary<string, Entry>> _names = [];
    private int _count;

    /// <summary>Takes up what was counted before a restart.</summary>
    public async Task LoadAsync(AuthDbContext database)
    {
        foreach (var row in await database.LoginFailures.AsNoTracking().ToListAsync())
        {
            var entry = FindOrAdd(Convert.ToHexString(row.NameHash), row.Address);
            (entry.Client, entry.Failures, entry.FirstAt, entry.LastAt, entry.BlockedUntil) =
                (row.ClientId, row.Failures, row.FirstAt, row.LastAt, row.BlockedUntil);
        }
    }

    /// <summary>Allows an attempt; null when this address has to wait first.</summary>
    /// <param name="credential">The name as compared, or as given where it is none.</param>
    /// <param name="client">The client of that name.</param>
    /// <param name="origin">Who tries.</param>
    /// <param name="wait">How long to wait; null for an allowed attempt.</param>
    public LoginAttempt? Begin(ReadOnlySpan<byte> credential, Guid? client, Origin origin, out TimeSpan? wait)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(credential, hash);
        var name = Convert.ToHexString(hash);
        var address = AddressGroup.Of(origin.Address);
        var attempt = Begin(name, address, client, origin, isKnownAddress: false, out wait, out var isNameLocked);

        // Looked up only for a name under attack, and not while the lock is held: that would hold up everybody's login.
        return isNameLocked && client is { } id && reader.FindLoginAddresses(id).Select(AddressGroup.Of).Contains(address)
            ? Begin(name, address, client, origin, isKnownAddress: true, out wait, out _)
            : attempt;
    }

    /// <summary>The password was proven: the pair's failures are forgotten, the address's are not.</summary>
    internal void Succeeded(LoginAttempt attempt)
    {
        int failures;
        lock (_lock)
        {
            var pair = FindOrAdd(attempt.Name, attempt.Address);
            var all = FindOrAdd("", attempt.Address);
            failures = pair.Failures;
            (pair.Failures, pair.BlockedUntil) = (0, default);
            pair.Pending--;
            all.Pending--;
            RemoveIfUnused(attempt.Name, attempt.Address, pair);
            RemoveIfUnused("", attempt.Address, all);
        }

        if (failures > 0)
        {
            writer.Post(scope => scope.Execute(
                """DELETE FROM "LoginFailures" WHERE "NameHash" = @0 AND "Address" = @1""",
                Convert.FromHexString(attempt.Name),
                attempt.Address));
        }
    }

    /// <summary>Counts a failure; what is returned writes it down.</summary>
    internal Action<WriteScope> Failed(LoginAttempt attempt)
    {
        var now = time.GetUtcNow();
        Failure pair, all;
        Guid? client;
        lock (_lock)
        {
            var pairEntry = FindOrAdd(attempt.Name, attempt.Address);
            var allEntry = FindOrAdd("", attempt.Address);
            client = pairEntry.Client;
            pair = Count(pairEntry, now, _options.FreeFailures, _options.LongestDelay, _options.LockoutFailures);
            all = Count(allEntry, now, _options.FreeFailuresPerAddress, _options.LongestDelayPerAddress, int.MaxValue);
        }

        return scope =>
        {
            Store(scope, attempt.Name, attempt.Address, client, pair);
            Store(scope, "", attempt.Address, null, all);
            var target = client is { } id ? $"client {id}" : "unknown name";
            scope.Audit(new AuditEvent(AuditKind.LoginFailed, attempt.Origin, target, $"failure {pair.Failures}", AuditResult.Refused));
            if (pair.Failures == _options.LockoutFailures)
            {
                scope.Audit(new AuditEvent(AuditKind.LoginBlocked, attempt.Origin, target, "locked for this address"));
            }
        };
    }

    internal Task WriteAsync(Action<WriteScope> failure, CancellationToken cancellationToken) => writer.WriteAsync(failure, cancellationToken);

    internal void Post(Action<WriteScope> failure) => writer.Post(failure);

    /// <summary>Forgets all failures under a client's name.</summary>
    public void Clear(WriteScope scope, Guid client)
    {
        scope.Execute("""DELETE FROM "LoginFailures" WHERE "ClientId" = @0""", client);
        ClearInMemory(scope, (_, _, entry) => entry.Client == client);
    }

    /// <summary>An admin clears failures of a client, of an address, or of both together; returns how many were forgotten.</summary>
    public Task<int> ClearAsync(Guid? client, string? address, Origin origin, CancellationToken cancellationToken) => writer.WriteAsync(
        scope =>
        {
            var group = address is null ? null : AddressGroup.Of(address);
            var cleared = scope.Database.LoginFailures
                .Where(row => (client == null || row.ClientId == client) && (group == null || row.Address == group))
                .ExecuteDelete();
            ClearInMemory(scope, (_, where, entry) => (client is null || entry.Client == client) && (group is null || where == group));
            scope.Audit(new AuditEvent(
                AuditKind.LockoutCleared, origin, client is { } id ? $"client {id}" : "", $"address {group ?? "any"}, {cleared} cleared"));
            return cleared;
        },
        cancellationToken);

    /// <summary>An admin clears the failures of one address under one name.</summary>
    public Task<AdminChange> ClearOneAsync(Guid id, Precondition ifMatch, Origin origin, CancellationToken cancellationToken) => writer.WriteAsync(
        scope =>
        {
            if (scope.Database.LoginFailures.SingleOrDefault(row => row.Id == id) is not { } row)
            {
                return AdminChange.Unknown;
            }

            if (!ifMatch.Holds(row.Tag()))
            {
                return AdminChange.Stale;
            }

            scope.Database.LoginFailures.Remove(row);
            scope.Database.SaveChanges();
            var name = Convert.ToHexString(row.NameHash);
            ClearInMemory(scope, (where, address, _) => where == name && address == row.Address);
            scope.Audit(new AuditEvent(
                AuditKind.LockoutCleared,
                origin,
                row.ClientId is { } client ? $"client {client}" : "",
                $"address {row.Address}, lockout {id}, {row.Failures} failures"));
            return AdminChange.Done;
        },
        cancellationToken);

    /// <summary>Forgets what failed long ago.</summary>
    public Task SweepAsync(CancellationToken cancellationToken) => writer.WriteAsync(
        scope =>
        {
            var before = scope.Now - _options.ForgetAfter;
            Forget(entry => entry.LastAt < before);
            scope.Execute("""DELETE FROM "LoginFailures" WHERE "LastAt" < @0""", before);
        },
        cancellationToken);

    private void ClearInMemory(WriteScope scope, Func<string, string, Entry, bool> isCleared) => scope.AfterCommit(() =>
    {
        lock (_lock)
        {
            foreach (var (name, addresses) in _names.ToArray())
            {
                foreach (var (address, entry) in addresses.Where(pair => isCleared(name, pair.Key, pair.Value)).ToArray())
                {
                    (entry.Failures, entry.BlockedUntil) = (0, default);
                    RemoveIfUnused(name, address, entry);
                }
            }
        }
    });

    private LoginAttempt? Begin(
        string name, string address, Guid? client, Origin origin, bool isKnownAddress, out TimeSpan? wait, out bool isNameLocked)
    {
        var now = time.GetUtcNow();
        lock (_lock)
        {
            if (_count + 2 > MostEntries)
            {
                // Before either entry is added: one that has nothing counted yet would be the first to go.
                ForgetOldest();
            }

            var pair = FindOrAdd(name, address);
            var all = FindOrAdd("", address);
            wait = Wait(pair, _options.FreeFailures, _options.ParallelAttempts, now)
                ?? Wait(all, _options.FreeFailuresPerAddress, _options.FreeFailuresPerAddress, now);
            isNameLocked = false;
            if (wait is null && !isKnownAddress)
            {
                wait = WaitForName(name, pair, now);
                isNameLocked = wait is not null;
            }

            if (wait is not null)
            {
                RemoveIfUnused(name, address, pair);
                RemoveIfUnused("", address, all);
                return null;
            }

            pair.Client = client;
            pair.Pending++;
            all.Pending++;
            return new LoginAttempt(this, name, address, origin);
        }
    }

    // Attempts at once are limited too, or a thousand would be a thousand guesses; after the free failures it is one at a time.
    private TimeSpan? Wait(Entry entry, int free, int parallel, DateTimeOffset now)
    {
        if (entry.BlockedUntil > now)
        {
            return entry.BlockedUntil - now;
        }

        return entry.Pending >= (entry.Failures < free ? parallel : 1) ? _options.FirstDelay : null;
    }

    private TimeSpan? WaitForName(string name, Entry own, DateTimeOffset now)
    {
        var locked = 0;
        var until = DateTimeOffset.MaxValue;
        foreach (var entry in _names[name].Values)
        {
            if (entry != own && entry.Failures >= _options.LockoutFailures && entry.BlockedUntil > now)
            {
                until = entry.BlockedUntil < until ? entry.BlockedUntil : until;
                if (++locked == _options.LockedAddresses)
                {
                    return until - now;
                }
            }
        }

        return null;
    }

    private Failure Count(Entry entry, DateTimeOffset now, int free, TimeSpan longest, int lockoutFailures)
    {
        entry.Pending--;
        entry.FirstAt = entry.Failures == 0 ? now : entry.FirstAt;
        entry.Failures++;
        entry.LastAt = now;
        var over = entry.Failures - free;
        if (entry.Failures >= lockoutFailures)
        {
            entry.BlockedUntil = now + _options.LockoutTime;
        }
        else if (over >= 0)
        {
            var delay = _options.FirstDelay * Math.Pow(2, Math.Min(over, 30));
            entry.BlockedUntil = now + (delay < longest ? delay : longest);
        }

        return new Failure(entry.Failures, entry.FirstAt, now, entry.BlockedUntil);
    }

    private static void Store(WriteScope scope, string name, string address, Guid? client, Failure failure) => scope.Execute(
        """
        INSERT INTO "LoginFailures" ("NameHash", "Address", "ClientId", "Failures", "FirstAt", "LastAt", "BlockedUntil", "Id")
        VALUES (@0, @1, @2, @3, @4, @5, @6, @7)
        ON CONFLICT ("NameHash", "Address") DO UPDATE SET
            "ClientId" = @2, "Failures" = max("Failures", @3), "LastAt" = @5, "BlockedUntil" = max("BlockedUntil", @6)
        """,
        Convert.FromHexString(name), address, client, failure.Failures, failure.FirstAt, failure.LastAt, failure.BlockedUntil, Guid.NewGuid());

    private Entry FindOrAdd(string name, string address)
    {
        if (!_names.TryGetValue(name, out var addresses))
        {
            _names.Add(name, addresses = []);
        }

        if (!addresses.TryGetValue(address, out var entry))
        {
            addresses.Add(address, entry = new Entry());
            _count++;
        }

        return entry;
    }

    private void RemoveIfUnused(string name, string address, Entry entry)
    {
        if (entry is { Failures: 0, Pending: 0 } && _names.TryGetValue(name, out var addresses) && addresses.Remove(address))
        {
            _count--;
            if (addresses.Count == 0)
            {
                _names.Remove(name);
            }
        }
    }

    private void Forget(Func<Entry, bool> isForgotten)
    {
        lock (_lock)
        {
            foreach (var (name, addresses) in _names.ToArray())
            {
                foreach (var (address, entry) in addresses.Where(pair => pair.Value.Pending == 0 && isForgotten(pair.Value)).ToArray())
                {
                    entry.Failures = 0;
                    RemoveIfUnused(name, address, entry);
                }
            }
        }
    }

    private void ForgetOldest()
    {
        var times = _names.Values.SelectMany(static addresses => addresses.Values).Select(static entry => entry.LastAt).Order().ToList();
        var before = times[times.Count / 10];
        Forget(entry => entry.LastAt <= before);
    }

    private sealed class Entry
    {
        public Guid? Client { get; set; }

        public int Failures { get; set; }

        /// <summary>Challenges that were given out and not answered yet.</summary>
        public int Pending { get; set; }

        public DateTimeOffset FirstAt { get; set; }

        public DateTimeOffset LastAt { get; set; }

        public DateTimeOffset BlockedUntil { get; set; }
    }

    private readonly record struct Failure(int Failures, DateTimeOffset FirstAt, DateTimeOffset LastAt, DateTimeOffset BlockedUntil);
}
