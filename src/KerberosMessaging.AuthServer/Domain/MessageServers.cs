using System.Collections.Concurrent;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.Protocol;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>How a message server wants to be listed.</summary>
internal sealed record ServerAddress(string Name, string Host, ushort Port)
{
    public bool IsAcceptable => Name.Length > 0 && Port != 0 && Uri.CheckHostName(Host) != UriHostNameType.Unknown;
}

/// <summary>
/// The active message servers, held in memory: every service ticket needs one, and opening a sealed key each time would
/// cost more than the ticket.
/// </summary>
internal sealed class MessageServers : IDisposable
{
    private readonly AuthWriter _writer;
    private readonly RealmKeys _realmKeys;
    private readonly TimeSpan _ticketLife;
    private readonly IDataProtector _protector;
    private readonly ConcurrentDictionary<ServerId, MessageServer> _active = new();
    private readonly ChangeSignal _changed = new();

    public MessageServers(AuthWriter writer, RealmKeys realmKeys, IOptions<AuthOptions> options, IDataProtectionProvider protection)
    {
        _writer = writer;
        _realmKeys = realmKeys;
        _ticketLife = options.Value.ServiceTicketLife;
        _protector = protection.CreateProtector("kmsg service keys");
    }

    public ICollection<MessageServer> Active => _active.Values;

    /// <summary>Completes when a server's keys or state change.</summary>
    public Task Changed => _changed.Next;

    public MessageServer? Find(ServerId id) => _active.GetValueOrDefault(id);

    public async Task LoadAsync(AuthDbContext database)
    {
        foreach (var row in await database.MessageServers.AsNoTracking().Where(static row => row.DisabledAt == null).ToListAsync())
        {
            Put(database, row);
        }
    }

    /// <summary>
    /// Spends a one-time token and enrols a server, anew where the token says so; null when the token is not good. The same
    /// key may ask again with the same token, since the reply can be lost. The caller has checked that the key is the server's.
    /// </summary>
    public Task<MessageServer?> EnrolAsync(
        string token, ServerAddress address, byte[] signingKey, Origin origin, CancellationToken cancellationToken) => _writer.WriteAsync(
        scope =>
        {
            var hash = OneTimeTokens.Hash(token);
            var row = scope.Database.OneTimeTokens.SingleOrDefault(row =>
                row.Hash == hash && row.Purpose == TokenPurpose.ServerEnrolment && row.RevokedAt == null && row.ExpiresAt > scope.Now);

            // Only while the key is still the server's: after it has enrolled anew with another, this one is a thief's.
            var isRepeat = row?.UsedBy is { } usedBy
                && usedBy.AsSpan().SequenceEqual(signingKey)
                && FindRow(scope, row.ServerId!.Value) is { } enrolled
                && enrolled.SigningKey.AsSpan().SequenceEqual(signingKey);
            if (row is null
                || (row.ServerId is { } wanted && FindRow(scope, wanted) is not { DisabledAt: null })
                || (row.UsedAt is not null && !isRepeat)
                || (!isRepeat && IsKnownKey(scope, signingKey, except: row.ServerId)))
            {
                scope.Audit(new AuditEvent(AuditKind.EnrolmentRefused, origin, "", Result: AuditResult.Refused));
                return null;
            }

            var server = isRepeat ? FindRow(scope, row.ServerId!.Value)! : Enrol(scope, row, address, signingKey, origin);
            row.UsedAt ??= scope.Now;
            row.UsedBy = signingKey;
            row.ServerId = server.Id;
            scope.Database.SaveChanges();
            return Put(scope, server);
        },
        cancellationToken);

    /// <summary>
    /// A server has proven its key: takes over the address it states. Null when the key is not its key any more, or it was
    /// disabled.
    /// </summary>
    public Task<MessageServer?> ArriveAsync(
        ServerId id, byte[] signingKey, ServerAddress address, Origin origin, CancellationToken cancellationToken) =>
        _writer.WriteAsync(
            scope =>
            {
                if (FindRow(scope, id.Value) is not { DisabledAt: null } row || !row.SigningKey.AsSpan().SequenceEqual(signingKey))
                {
                    return null;
                }

                row.LastSeenAt = scope.Now;
                if (new ServerAddress(row.Name, row.Host, row.Port) != address)
                {
                    (row.Name, row.Host, row.Port) = (address.Name, address.Host, address.Port);
                    scope.Audit(new AuditEvent(AuditKind.ServerAddressChanged, origin.As(id), $"server {row.Id}"));
                }

                scope.Database.SaveChanges();
                return Put(scope, row);
            },
            cancellationToken);

    /// <summary>A server has stored these versions; from now on tickets for it use them. False for versions that do not exist.</summary>
    public Task<bool> ConfirmAsync(
        ServerId id, byte[] signingKey, uint serviceKey, uint ticketSigning, CancellationToken cancellationToken) => _writer.WriteAsync(
        scope =>
        {
            var keys = scope.Database.ServiceKeys.Where(row => row.ServerId == id.Value).ToList();
            if (FindRow(scope, id.Value) is not { DisabledAt: null } row
                || !row.SigningKey.AsSpan().SequenceEqual(signingKey)
                || !keys.Exists(key => key.Version == serviceKey)
                || !_realmKeys.TicketSigning.ContainsKey(ticketSigning))
            {
                return false;
            }

            foreach (var key in keys)
            {
                if (key.Version == serviceKey)
                {
                    key.ConfirmedAt ??= scope.Now;
                }
                else if (key.Version < serviceKey)
                {
                    // The last ticket under it was made just before.
                    key.NeededUntil ??= scope.Now + _ticketLife;
                }
            }

            row.TicketSigningVersion = Math.Max(row.TicketSigningVersion, ticketSigning);
            scope.Database.SaveChanges();
            Put(scope, row);
            return true;
        },
        cancellationToken);

    /// <summary>Makes the next version of a server's key; it is used once the server has confirmed it.</summary>
    public Task<AdminChange> RotateAsync(ServerId id, Precondition ifMatch, Origin origin, CancellationToken cancellationToken) => ChangeAsync(
        id,
        ifMatch,
        (scope, row) =>
        {
            // One that was not taken up yet is as new as another would be.
            if (scope.Database.ServiceKeys.Any(key => key.ServerId == row.Id && key.ConfirmedAt == null && key.NeededUntil == null))
            {
                return;
            }

            var version = AddKey(scope, row.Id, isConfirmed: false);
            scope.Audit(new AuditEvent(AuditKind.KeyRotated, origin, $"server {row.Id}", $"service key version {version}"));
            if (row.DisabledAt is null)
            {
                Put(scope, row);
            }
        },
        cancellationToken);

    /// <summary>Makes a token with which a known server enrols anew.</summary>
    public Task<(AdminChange Change, NewToken? Token)> MakeEnrolmentAsync(
        ServerId id, Precondition ifMatch, TimeSpan life, Origin origin, CancellationToken cancellationToken) => _writer.WriteAsync<(AdminChange, NewToken?)>(
        scope =>
        {
            var found = Find(scope, id, ifMatch, out var row);
            return found == AdminChange.Done ? (found, OneTimeTokens.MakeEnrolment(scope, row!.Id, life, origin)) : (found, null);
        },
        cancellationToken);

    /// <summary>Gives a server no more tickets and cuts its channel, or the opposite.</summary>
    public Task<AdminChange> SetDisabledAsync(
        ServerId id, bool isDisabled, Precondition ifMatch, Origin origin, CancellationToken cancellationToken) => ChangeAsync(
        id,
        ifMatch,
        (scope, row) =>
        {
            if (row.DisabledAt is null != isDisabled)
            {
                return;
            }

            row.DisabledAt = isDisabled ? scope.Now : null;
            scope.Database.SaveChanges();
            scope.Audit(new AuditEvent(isDisabled ? AuditKind.ServerDisabled : AuditKind.ServerEnabled, origin, $"server {row.Id}"));
            if (isDisabled)
            {
                scope.AfterCommit(() =>
                {
                    _active.TryRemove(id, out _);
                    _changed.Raise();
                });
            }
            else
            {
                Put(scope, row);
            }
        },
        cancellationToken);

    /// <summary>The active servers whose newest key is older than that.</summary>
    public static List<Guid> FindKeysOlderThan(AuthDbContext database, DateTimeOffset time) => [.. database.MessageServers
        .Where(server => server.DisabledAt == null
            && !database.ServiceKeys.Any(key => key.ServerId == server.Id && key.CreatedAt > time))
        .Select(static server => server.Id)];

    /// <summary>The newest version of a server's key, confirmed or not; 0 for none.</summary>
    public static uint NewestKey(AuthDbContext database, Guid server) =>
        database.ServiceKeys.Where(row => row.ServerId == server).Max(static row => (uint?)row.Version) ?? 0;

    /// <summary>Removes key versions that no ticket can need any more.</summary>
    public Task SweepKeysAsync(CancellationToken cancellationToken) => _writer.WriteAsync(
        scope =>
        {
            var now = scope.Now;
            var ended = scope.Database.ServiceKeys.Where(row => row.NeededUntil < now).ToList();
            scope.Database.ServiceKeys.RemoveRange(ended);
            scope.Database.SaveChanges();
            foreach (var key in ended)
            {
                scope.Audit(new AuditEvent(AuditKind.KeyRemoved, Origin.System, $"server {key.ServerId}", $"service key version {key.Version}"));
                if (FindRow(scope, key.ServerId) is { DisabledAt: null } server)
                {
                    Put(scope, server);
                }
            }
        },
        cancellationToken);

    /// <summary>Wakes the servers' channels: the realm's ticket-signing keys have changed.</summary>
    public void RaiseChanged() => _changed.Raise();

    public void Dispose()
    {
        foreach (var key in _active.Values.SelectMany(static server => server.Keys))
        {
            key.Secret.Dispose();
        }
    }

    private Task<AdminChange> ChangeAsync(
        ServerId id, Precondition ifMatch, Action<WriteScope, MessageServerRow> change, CancellationToken cancellationToken) => _writer.WriteAsync(
        scope =>
        {
            var found = Find(scope, id, ifMatch, out var row);
            if (found == AdminChange.Done)
            {
                change(scope, row!);
            }

            return found;
        },
        cancellationToken);

    private static AdminChange Find(WriteScope scope, ServerId id, Precondition ifMatch, out MessageServerRow? row)
    {
        row = FindRow(scope, id.Value);
        return row is null
            ? AdminChange.Unknown
            : ifMatch.Holds(row.Tag(NewestKey(scope.Database, id.Value))) ? AdminChange.Done : AdminChange.Stale;
    }

    private MessageServerRow Enrol(WriteScope scope, OneTimeTokenRow token, ServerAddress address, byte[] signingKey, Origin origin)
    {
        var row = token.ServerId is { } existing ? FindRow(scope, existing) : null;
        var kind = row is null ? AuditKind.ServerEnrolled : AuditKind.ServerEnrolledAnew;
        if (row is null)
        {
            row = new MessageServerRow
            {
                Id = ServerId.New().Value,
                Name = address.Name,
                Host = address.Host,
                Port = address.Port,
                SigningKey = signingKey,
                TicketSigningVersion = _realmKeys.TicketSigningVersion,
                EnrolledAt = scope.Now,
                LastSeenAt = scope.Now,
            };
            scope.Database.MessageServers.Add(row);
        }
        else
        {
            // Whatever it held before, it may have lost to somebody else: none of it is used any more. Clients with a ticket
            // from before are refused once, and ask for another.
            (row.Name, row.Host, row.Port) = (address.Name, address.Host, address.Port);
            row.SigningKey = signingKey;
            row.TicketSigningVersion = _realmKeys.TicketSigningVersion;
            row.LastSeenAt = scope.Now;
        }

        scope.Database.SaveChanges();
        var version = AddKey(scope, row.Id, isConfirmed: true);
        scope.Database.ServiceKeys.Where(key => key.ServerId == row.Id && key.Version != version).ExecuteDelete();
        scope.Audit(new AuditEvent(kind, origin, $"server {row.Id}", $"token {token.Id}"));
        return row;
    }

    private uint AddKey(WriteScope scope, Guid server, bool isConfirmed)
    {
        using var key = SecretBytes.Random(Tickets.ServiceTicket.ServiceKeySize);
        var version = 1 + NewestKey(scope.Database, server);
        scope.Database.ServiceKeys.Add(new ServiceKeyRow
        {
            ServerId = server,
            Version = version,
            Sealed = Sealing.Seal(_protector, key),
            CreatedAt = scope.Now,
            ConfirmedAt = isConfirmed ? scope.Now : null,
        });
        scope.Database.SaveChanges();
        return version;
    }

    // Two servers with one key could not be told apart by whoever checks a handshake.
    private static bool IsKnownKey(WriteScope scope, byte[] signingKey, Guid? except) =>
        scope.Database.MessageServers.Any(row => row.SigningKey == signingKey && row.Id != except);

    private static MessageServerRow? FindRow(WriteScope scope, Guid id) =>
        scope.Database.MessageServers.SingleOrDefault(row => row.Id == id);

    private MessageServer Put(WriteScope scope, MessageServerRow row)
    {
        var server = Open(scope.Database, row);
        scope.AfterCommit(() =>
        {
            _active[server.Id] = server;
            _changed.Raise();
        });
        return server;
    }

    private void Put(AuthDbContext database, MessageServerRow row) => _active[new ServerId(row.Id)] = Open(database, row);

    private MessageServer Open(AuthDbContext database, MessageServerRow row) => new(
        new ServerId(row.Id),
        row.Name,
        row.Host,
        row.Port,
        row.SigningKey,
        [.. database.ServiceKeys.AsNoTracking()
            .Where(key => key.ServerId == row.Id)
            .OrderBy(static key => key.Version)
            .AsEnumerable()
            .Select(key => new ServiceKey(key.Version, Sealing.Open(_protector, key.Sealed), key.ConfirmedAt is not null))],
        row.TicketSigningVersion);
}
