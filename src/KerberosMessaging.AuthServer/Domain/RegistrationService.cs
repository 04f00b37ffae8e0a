using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Protocol;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>Why a registration failed.</summary>
internal enum RegistrationFailure
{
    NameTaken,
    NameInvalid,
    Closed,
    StretchingRefused,
    RecordRefused,
    InviteRefused,
}

/// <summary>Registers clients (RFC 9807, section 5): the server never sees anything that a password can be tried on without its seed.</summary>
internal sealed class RegistrationService(
    AuthDbContext database,
    AuthWriter writer,
    RealmKeys keys,
    LoginGuard guard,
    DeviceService devices,
    RevocationLog revocations,
    IOptions<AuthOptions> options,
    TimeProvider time)
{
    public StretchingParameters Stretching => options.Value.StretchingParameters;

    public ushort MinimumPasswordLength => (ushort)options.Value.MinimumPasswordLength;

    /// <summary>Answers the blinded element under the OPAQUE keys of the version given back; the failure when there is one.</summary>
    public (uint OpaqueVersion, RegistrationFailure? Failure) Start(string name, string token, ReadOnlySpan<byte> request, Span<byte> response)
    {
        var isName = ClientName.TryParse(name, out var parsed);

        // Without a good token nothing is told of any name.
        var permission = Judge(database, isName ? parsed.Key : "", token, time.GetUtcNow());
        if (permission.Failure is { } refused)
        {
            return (0, refused);
        }

        if (!isName)
        {
            return (0, RegistrationFailure.NameInvalid);
        }

        if (!permission.IsReset && IsTaken(database, parsed))
        {
            return (0, RegistrationFailure.NameTaken);
        }

        var version = keys.OpaqueVersion;
        return keys.Opaque(version).TryCreateRegistrationResponse(request, parsed.CredentialIdentifier, response)
            ? (version, null)
            : (0, RegistrationFailure.RecordRefused);
    }

    /// <summary>Stores the record under the name, and spends the token, if nothing changed since the first step.</summary>
    public async Task<(ClientId Client, RegistrationFailure? Failure)> FinishAsync(
        string name,
        string token,
        uint opaqueVersion,
        byte[] record,
        StretchingParameters stretching,
        Origin origin,
        CancellationToken cancellationToken)
    {
        if (!ClientName.TryParse(name, out var parsed))
        {
            return (default, RegistrationFailure.NameInvalid);
        }

        if (stretching != Stretching)
        {
            return (default, RegistrationFailure.StretchingRefused);
        }

        if (!Opaque.IsWellFormedRecord(record))
        {
            return (default, RegistrationFailure.RecordRefused);
        }

        return await writer.WriteAsync(
            scope =>
            {
                if (!RealmKeys.HasOpaque(scope, opaqueVersion))
                {
                    // Rotated away since the first step: nobody could log in with this record.
                    return (default(ClientId), (RegistrationFailure?)RegistrationFailure.RecordRefused);
                }

                var permission = Judge(scope.Database, parsed.Key, token, scope.Now);
                if (permission.Failure is { } refused)
                {
                    return (default(ClientId), (RegistrationFailure?)refused);
                }

                if (permission.IsReset)
                {
                    return (Reset(scope, permission.Token!, opaqueVersion, record, stretching, origin), null);
                }

                return IsTaken(scope.Database, parsed)
                    ? (default, RegistrationFailure.NameTaken)
                    : (Register(scope, parsed, permission.Token, opaqueVersion, record, stretching, origin), null);
            },
            cancellationToken);
    }

    private static bool IsTaken(AuthDbContext database, ClientName name)
    {
        var deletedKey = ClientAdministration.DeletedKey(name.Key);
        var deletedSkeleton = ClientAdministration.DeletedKey(name.Skeleton);
        return database.Clients.Any(row =>
            row.NameKey == name.Key
            || row.NameKey == deletedKey
            || row.NameSkeleton == name.Skeleton
            || row.NameSkeleton == deletedSkeleton);
    }

    private Permission Judge(AuthDbContext context, string nameKey, string token, DateTimeOffset now)
    {
        if (token.Length == 0)
        {
            return options.Value.Registration switch
            {
                RegistrationPolicy.Open => default,
                RegistrationPolicy.Invite => new(Failure: RegistrationFailure.InviteRefused),
                _ => new(Failure: RegistrationFailure.Closed),
            };
        }

        var found = OneTimeTokens.Find(context, token, now);
        return found switch
        {
            { Purpose: TokenPurpose.Invite } when options.Value.Registration == RegistrationPolicy.Closed =>
                new(Failure: RegistrationFailure.Closed),
            { Purpose: TokenPurpose.Invite } when found.NameKey is null || found.NameKey == nameKey => new(found),
            { Purpose: TokenPurpose.PasswordReset, ClientId: { } client }
                when context.Clients.Any(row => row.Id == client && row.NameKey == nameKey && row.DeletedAt == null) => new(found, IsReset: true),
            _ => new(Failure: RegistrationFailure.InviteRefused),
        };
    }

    private static ClientId Register(
        WriteScope scope,
        ClientName name,
        OneTimeTokenRow? token,
        uint opaqueVersion,
        byte[] record,
        StretchingParameters stretching,
        Origin origin)
    {
        var client = ClientId.New();
        scope.Database.Clients.Add(new ClientRow
        {
            Id = client.Value,
            Name = name.Display,
            NameKey = name.Key,
            NameSkeleton = name.Skeleton,
            OpaqueRecord = record,
            OpaqueKeyVersion = opaqueVersion,
            StretchingAlgorithm = stretching.Algorithm,
            StretchingIterations = stretching.Iterations,
            StretchingMemoryKiB = stretching.MemoryKiB,
            CreatedAt = scope.Now,
            PasswordChangedAt = scope.Now,
            LastSeenAt = scope.Now,
        });
        if (token is not null)
        {
            token.UsedAt = scope.Now;
            token.ClientId = client.Value;
        }

        scope.Database.SaveChanges();
        scope.Audit(new AuditEvent(
            AuditKind.ClientRegistered, origin, $"client {client.Value}", token is null ? "" : $"token {token.Id}"));
        return client;
    }

    // Whoever held the account before, its owner or somebody else, holds nothing of it afterwards.
    private ClientId Reset(
        WriteScope scope,
        OneTimeTokenRow token,
        uint opaqueVersion,
        byte[] record,
        StretchingParameters stretching,
        Origin origin)
    {
        var client = scope.Database.Clients.Single(row => row.Id == token.ClientId);
        client.OpaqueRecord = record;
        client.OpaqueKeyVersion = opaqueVersion;
        client.StretchingAlgorithm = stretching.Algorithm;
        client.StretchingIterations = stretching.Iterations;
        client.StretchingMemoryKiB = stretching.MemoryKiB;
        client.PreviousKeys = [];
        client.PasswordChangedAt = scope.Now;
        token.UsedAt = scope.Now;
        scope.Database.SaveChanges();
        devices.RemoveAll(scope, client.Id, "password reset", origin);
        revocations.RevokeClient(scope, client.Id, "password reset");
        guard.Clear(scope, client.Id);
        scope.Audit(new AuditEvent(AuditKind.PasswordReset, origin, $"client {client.Id}", $"token {token.Id}"));
        return new ClientId(client.Id);
    }

    private readonly record struct Permission(
        OneTimeTokenRow? Token = null, bool IsReset = false, RegistrationFailure? Failure = null);
}
