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

        try
        {
            using var seed = Sealing.Open(_seeds, row.SealedSigningSeed);
            return new EnrolledServer(
                new ServerId(row.ServerId),
                Ed25519PrivateKey.FromSeed(seed.Span),
                row.KeyVersion,
                Sealing.Open(_serviceKeys, row.SealedServiceKey),
                row.RealmSigningKey);
        }
        catch (CryptographicException e)
        {
            throw new StartupException(
                "the key ring in the data folder's 'keys' does not open this server's keys: restore the folder from one backup, "
                + "or remove message.db to enrol anew, which loses the waiting messages.",
                e);
        }
    }

    /// <summary>Stores the membership.</summary>
    public async Task SaveAsync(EnrolledServer enrolled, CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        using var seed = enrolled.SigningKey.ExportSeed();
        context.ServerIdentities.Add(new ServerIdentityRow
        {
            ServerId = enrolled.Server.Value,
            SealedSigningSeed = Sealing.Seal(_seeds, seed),
            SealedServiceKey = Sealing.Seal(_serviceKeys, enrolled.ServiceKey),
            KeyVersion = enrolled.KeyVersion,
            RealmSigningKey = enrolled.RealmSigningKey,
            EnrolledAt = time.GetUtcNow().ToUnixTimeMilliseconds(),
        });
        await context.SaveChangesAsync(cancellationToken);
    }
}
