using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Audit;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>A token that was just made: the only moment at which it can be read.</summary>
internal sealed record NewToken(Guid Id, string Token, DateTimeOffset ExpiresAt)
{
    /// <summary>The id alone.</summary>
    public override string ToString() => $"one-time token {Id}";
}

/// <summary>One-time tokens: 256 random bits, of which only a hash is kept. A token is good once, for one purpose.</summary>
internal sealed class OneTimeTokens(AuthWriter writer)
{
    public static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));

    /// <summary>Makes a token that enrols a message server, or, with <paramref name="server"/>, an enrolled one anew.</summary>
    public Task<NewToken> MakeEnrolmentAsync(Guid? server, TimeSpan life, Origin origin, CancellationToken cancellationToken) =>
        writer.WriteAsync(scope => MakeEnrolment(scope, server, life, origin), cancellationToken);

    /// <inheritdoc cref="MakeEnrolmentAsync"/>
    public static NewToken MakeEnrolment(WriteScope scope, Guid? server, TimeSpan life, Origin origin) => Make(
        scope,
        life,
        new AuditEvent(AuditKind.EnrolmentTokenMade, origin, server is { } id ? $"server {id}" : ""),
        (hash, expiresAt) => new OneTimeTokenRow
        {
            Id = Guid.NewGuid(),
            Purpose = TokenPurpose.ServerEnrolment,
            Hash = hash,
            CreatedAt = scope.Now,
            ExpiresAt = expiresAt,
            ServerId = server,
        });

    /// <summary>Makes an invite, for one name or for any.</summary>
    public Task<NewToken> MakeInviteAsync(string? nameKey, TimeSpan life, Origin origin, CancellationToken cancellationToken) => writer.WriteAsync(
        scope => Make(
            scope,
            life,
            new AuditEvent(AuditKind.InviteMade, origin, "", nameKey is null ? "for any name" : "for one name"),
            (hash, expiresAt) => new OneTimeTokenRow
            {
                Id = Guid.NewGuid(),
                Purpose = TokenPurpose.Invite,
                Hash = hash,
                CreatedAt = scope.Now,
                ExpiresAt = expiresAt,
                NameKey = nameKey,
            }),
        cancellationToken);

    /// <summary>Makes a token with which a client sets a new password; those made for it before are revoked.</summary>
    public static NewToken MakeReset(WriteScope scope, Guid client, TimeSpan life, Origin origin)
    {
        var now = scope.Now;
        scope.Database.OneTimeTokens
            .Where(row => row.Purpose == TokenPurpose.PasswordReset && row.ClientId == client && row.UsedAt == null && row.RevokedAt == null)
            .ExecuteUpdate(set => set.SetProperty(static row => row.RevokedAt, now));
        return Make(
            scope,
            life,
            new AuditEvent(AuditKind.ResetTokenMade, origin, $"client {client}"),
            (hash, expiresAt) => new OneTimeTokenRow
            {
                Id = Guid.NewGuid(),
                Purpose = TokenPurpose.PasswordReset,
                Hash = hash,
                CreatedAt = now,
                ExpiresAt = expiresAt,
                ClientId = client,
            });
    }

    /// <summary>Revokes a token; one that was revoked before is done. Of one that was used already it is told, and nothing changed.</summary>
    public Task<(AdminChange Change, bool WasUsed)> RevokeAsync(
        Guid id, Precondition ifMatch, Origin origin, CancellationToken cancellationToken) => writer.WriteAsync(
        scope =>
        {
            if (scope.Database.OneTimeTokens.SingleOrDefault(row => row.Id == id) is not { } row)
            {
                return (AdminChange.Unknown, false);
            }

            if (!ifMatch.Holds(row.Tag()))
            {
                return (AdminChange.Stale, false);
            }

            if (row is { UsedAt: null, RevokedAt: null })
            {
                row.RevokedAt = scope.Now;
                scope.Database.SaveChanges();
                scope.Audit(new AuditEvent(AuditKind.TokenRevoked, origin, $"token {id}", row.Purpose.ToString()));
            }

            return (AdminChange.Done, row.RevokedAt is null);
        },
        cancellationToken);

    /// <summary>An unused, unexpired token; null for every cause why it is not good.</summary>
    public static OneTimeTokenRow? Find(AuthDbContext database, string token, DateTimeOffset now)
    {
        var hash = Hash(token);
        return database.OneTimeTokens.SingleOrDefault(row =>
            row.Hash == hash && row.UsedAt == null && row.RevokedAt == null && row.ExpiresAt > now);
    }

    private static NewToken Make(WriteScope scope, TimeSpan life, AuditEvent happened, Func<byte[], DateTimeOffset, OneTimeTokenRow> row)
    {
        var token = "kmsg_" + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        var expiresAt = scope.Now + life;
        var added = row(Hash(token), expiresAt);
        scope.Database.OneTimeTokens.Add(added);
        scope.Database.SaveChanges();
        scope.Audit(happened with { Detail = $"{happened.Detail} token {added.Id}".TrimStart() });
        return new NewToken(added.Id, token, expiresAt);
    }
}
