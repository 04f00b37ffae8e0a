using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Protocol;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>A change of password between its two steps.</summary>
internal sealed record PendingPasswordChange(PendingLogin Login, uint OpaqueVersion) : IDisposable
{
    public void Dispose() => Login.Dispose();
}

/// <summary>What the first step of a change answers.</summary>
internal sealed record PasswordChangeAnswer(PendingPasswordChange Pending, byte[] RegistrationResponse, byte[] PreviousKeys);

/// <summary>What the second step of a change brings.</summary>
internal sealed record NewRecord(byte[] Record, StretchingParameters Stretching, byte[] PreviousKeys, bool EndOtherSessions);

/// <summary>
/// Changes passwords: the current one is proven as at a login, on the signed-in channel, and the record of the new one takes
/// its place. A record for the same password, with stronger stretching or newer keys, comes the same way.
/// </summary>
internal sealed class PasswordService(
    AuthDbContext database,
    AuthWriter writer,
    RealmKeys keys,
    LoginService logins,
    RevocationLog revocations,
    IOptions<AuthOptions> options)
{
    public StretchingParameters Stretching => options.Value.StretchingParameters;

    /// <summary>Starts a change. Null where a message is not well-formed; or only a wait, after too many failures.</summary>
    public async Task<(PasswordChangeAnswer? Answer, TimeSpan? Wait)> StartAsync(
        ClientId client,
        byte[] ke1,
        byte[] registrationRequest,
        ReadOnlyMemory<byte> channelBinding,
        Origin origin,
        CancellationToken cancellationToken)
    {
        var row = await database.Clients.AsNoTracking().SingleOrDefaultAsync(row => row.Id == client.Value, cancellationToken);
        if (row is null || row.DeletedAt is not null || !ClientName.TryParse(row.Name, out var name))
        {
            return (null, null);
        }

        var (login, wait) = logins.Start(row.Name, ke1, channelBinding.Span, origin);
        if (login is null)
        {
            return (null, wait);
        }

        var version = keys.OpaqueVersion;
        var response = new byte[Opaque.RegistrationResponseSize];
        if (!keys.Opaque(version).TryCreateRegistrationResponse(registrationRequest, name.CredentialIdentifier, response))
        {
            login.Dispose();
            return (null, null);
        }

        return (new PasswordChangeAnswer(new PendingPasswordChange(login, version), response, row.PreviousKeys), null);
    }

    /// <summary>Finishes a change; the refusal where the current password is not proven, or the new record is not acceptable.</summary>
    public async Task<ProtocolError?> FinishAsync(
        PendingPasswordChange pending,
        byte[] ke3,
        NewRecord record,
        SessionId session,
        ClientId client,
        Origin origin,
        CancellationToken cancellationToken)
    {
        if (!pending.Login.TryProve(ke3, out _))
        {
            return ProtocolError.LoginFailed;
        }

        if (record.Stretching != Stretching || !Opaque.IsWellFormedRecord(record.Record))
        {
            return ProtocolError.Unexpected;
        }

        return await writer.WriteAsync(
            scope => pending.Login.Client.Id == client.Value && Replace(scope, pending, record, session.Value, origin), cancellationToken)
            ? null
            : ProtocolError.LoginFailed;
    }

    private bool Replace(WriteScope scope, PendingPasswordChange pending, NewRecord record, Guid session, Origin origin)
    {
        var before = pending.Login.Client!;
        var row = scope.Database.Clients.SingleOrDefault(row => row.Id == before.Id && row.DeletedAt == null && row.DisabledAt == null);

        // Two changes at once, or an admin's reset in between: the record that was proven must still be the one.
        if (row is null || !RealmKeys.HasOpaque(scope, pending.OpaqueVersion) || !row.OpaqueRecord.AsSpan().SequenceEqual(before.OpaqueRecord))
        {
            return false;
        }

        row.OpaqueRecord = record.Record;
        row.OpaqueKeyVersion = pending.OpaqueVersion;
        row.StretchingAlgorithm = record.Stretching.Algorithm;
        row.StretchingIterations = record.Stretching.Iterations;
        row.StretchingMemoryKiB = record.Stretching.MemoryKiB;
        row.PreviousKeys = record.PreviousKeys;
        row.PasswordChangedAt = scope.Now;
        scope.Database.SaveChanges();
        var ended = record.EndOtherSessions ? revocations.RevokeOthers(scope, row.Id, session, "password changed") : 0;
        scope.Audit(new AuditEvent(AuditKind.PasswordChanged, origin, $"client {row.Id}", $"{ended} other sessions ended"));
        return true;
    }
}
