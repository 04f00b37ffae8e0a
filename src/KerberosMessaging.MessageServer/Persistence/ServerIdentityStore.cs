using System.Collections.Frozen;
using System.Security.Cryptography;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.Protocol;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.MessageServer.Persistence;

/// <summary>Keeps this server's membership of its realm; its secrets are sealed with Data Protection.</summary>
internal sealed class ServerIdentityStore(
    IDbContextFactory<MessageDbContext> contexts,
    IDataProtectionProvider protection,
    TimeProvider time)
{
    // One purpose a secret, so that neither opens in the other's place.
    private readonly IDataProtector _seeds = protection.CreateProtector("KerberosMessaging.MessageServer", "signing seed", "v1");
    private readonly IDataProtector _serviceKeys = protection.CreateProtector("KerberosMessaging.MessageServer", "service key", "v1");

    /// <summary>The membership, or null before enrolment.</summary>
    /// <exception cref="StartupException">The key ring does not open the stored secrets.</exception>
    public async Task<EnrolledServer?> LoadAsync(CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        var row = await context.ServerIdentities.AsNoTracking().SingleOrDefaultAsync(cancellationToken);
        if (row is null)
        {
            return null;
        }

        var serviceKeys = await context.ServiceKeys.AsNoTracking().ToListAsync(cancellationToken);
        var signingKeys = await context.TicketSigningKeys.AsNoTracking().ToListAsync(cancellationToken);
        try
        {
            return new EnrolledServer(
                new ServerId(row.ServerId),
                OpenSigningKey(row.SealedSigningSeed),
                row.RealmKey,
                new TicketKeySet(
                    serviceKeys.ToFrozenDictionary(static key => key.Version, key => Sealing.Open(_serviceKeys, key.SealedKey)),
                    signingKeys.ToFrozenDictionary(static key => key.Version, static key => key.PublicKey)),
                row.TokenHash);
        }
        catch (CryptographicException e)
        {
            throw new StartupException(
                "the key ring in the data folder's 'keys' does not open this server's keys: restore the folder from one backup, "
                + "or remove message.db to enrol anew, which loses the waiting messages.",
                e);
        }
    }

    /// <summary>
    /// The key to enrol with under a token: the same at each call with the same token, even after a crash, so that the auth
    /// server can tell a repeat. It is stored when this returns, and the caller's.
    /// </summary>
    /// <exception cref="CryptographicException">The key ring does not open the stored key.</exception>
    public async Task<Ed25519PrivateKey> BeginEnrolmentAsync(byte[] tokenHash, CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        var row = await context.PendingEnrolments.SingleOrDefaultAsync(cancellationToken);
        if (row is not null && row.TokenHash.AsSpan().SequenceEqual(tokenHash))
        {
            return OpenSigningKey(row.SealedSigningSeed);
        }

        var key = Ed25519PrivateKey.Generate();
        if (row is null)
        {
            context.PendingEnrolments.Add(row = new PendingEnrolmentRow());
        }

        row.TokenHash = tokenHash;
        row.SealedSigningSeed = SealSigningKey(key);
        await context.SaveChangesAsync(cancellationToken);
        return key;
    }

    /// <summary>Stores the membership in the place of any before; the enrolment that was begun has ended.</summary>
    public async Task SaveAsync(EnrolledServer enrolled, CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        await using var transaction = await context.Database.BeginTransactionAsync(cancellationToken);
        await context.ServerIdentities.ExecuteDeleteAsync(cancellationToken);
        await context.PendingEnrolments.ExecuteDeleteAsync(cancellationToken);
        context.ServerIdentities.Add(new ServerIdentityRow
        {
            ServerId = enrolled.Server.Value,
            SealedSigningSeed = SealSigningKey(enrolled.SigningKey),
            RealmKey = enrolled.RealmKey,
            TokenHash = enrolled.TokenHash,
            EnrolledAt = time.GetUtcNow().ToUnixTimeMilliseconds(),
        });
        await ReplaceKeysAsync(context, enrolled.Keys, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>Stores the keys that tickets are opened with in the place of those before.</summary>
    public async Task SaveKeysAsync(TicketKeySet keys, CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        await using var transaction = await context.Database.BeginTransactionAsync(cancellationToken);
        await ReplaceKeysAsync(context, keys, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private async Task ReplaceKeysAsync(MessageDbContext context, TicketKeySet keys, CancellationToken cancellationToken)
    {
        await context.ServiceKeys.ExecuteDeleteAsync(cancellationToken);
        await context.TicketSigningKeys.ExecuteDeleteAsync(cancellationToken);
        context.ServiceKeys.AddRange(keys.ServiceKeys.Select(
            key => new ServiceKeyRow { Version = key.Key, SealedKey = Sealing.Seal(_serviceKeys, key.Value) }));
        context.TicketSigningKeys.AddRange(keys.TicketSigningKeys.Select(
            static key => new TicketSigningKeyRow { Version = key.Key, PublicKey = key.Value }));
        await context.SaveChangesAsync(cancellationToken);
    }

    private Ed25519PrivateKey OpenSigningKey(byte[] sealedSeed)
    {
        using var seed = Sealing.Open(_seeds, sealedSeed);
        return Ed25519PrivateKey.FromSeed(seed.Span);
    }

    private byte[] SealSigningKey(Ed25519PrivateKey key)
    {
        using var seed = key.ExportSeed();
        return Sealing.Seal(_seeds, seed);
    }
}
