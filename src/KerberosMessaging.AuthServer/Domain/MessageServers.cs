using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.Protocol;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>A message server with its service key opened.</summary>
internal sealed record MessageServer(
    ServerId Id,
    string Name,
    string Host,
    ushort Port,
    byte[] SigningKey,
    uint KeyVersion,
    SecretBytes ServiceKey);

/// <summary>
/// The active message servers, held in memory: every service ticket needs one, and opening a sealed key each time would
/// cost more than the ticket.
/// </summary>
internal sealed class MessageServers : IDisposable
{
    private readonly IDataProtector _protector;
    private readonly ConcurrentDictionary<ServerId, MessageServer> _active = new();

    public MessageServers(IDataProtectionProvider protection) => _protector = protection.CreateProtector("kmsg service keys");

    public ICollection<MessageServer> Active => _active.Values;

    public MessageServer? Find(ServerId id) => _active.GetValueOrDefault(id);

    public async Task LoadAsync(AuthDbContext database)
    {
        foreach (var row in await database.MessageServers.AsNoTracking().Where(static row => row.DisabledAt == null).ToListAsync())
        {
            Put(row);
        }
    }

    /// <summary>Spends a one-time token and enrols a server; null when the token is unknown, used or expired.</summary>
    public async Task<MessageServer?> EnrolAsync(
        AuthDbContext database,
        string token,
        string name,
        string host,
        ushort port,
        byte[] signingKey,
        DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        var hash = EnrolmentTokens.Hash(token);
        await using var transaction = await database.Database.BeginTransactionAsync(cancellationToken);

        // The update decides, not a look-up before it: of two that come at once, one changes the row.
        var spent = await database.EnrolmentTokens
            .Where(row => row.Hash == hash && row.UsedAt == null && row.ExpiresAt > now)
            .ExecuteUpdateAsync(set => set.SetProperty(static row => row.UsedAt, now), cancellationToken);
        if (spent != 1)
        {
            return null;
        }

        using var serviceKey = SecretBytes.Random(Tickets.ServiceTicket.ServiceKeySize);
        var row = new MessageServerRow
        {
            Id = ServerId.New().Value,
            Name = name,
            Host = host,
            Port = port,
            SigningKey = signingKey,
            KeyVersion = 1,
            SealedServiceKey = Sealing.Seal(_protector, serviceKey),
            EnrolledAt = now,
        };
        database.MessageServers.Add(row);
        await database.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return Put(row);
    }

    public void Dispose()
    {
        foreach (var server in _active.Values)
        {
            server.ServiceKey.Dispose();
        }
    }

    private MessageServer Put(MessageServerRow row) => _active[new ServerId(row.Id)] = new MessageServer(
        new ServerId(row.Id), row.Name, row.Host, row.Port, row.SigningKey, row.KeyVersion, Sealing.Open(_protector, row.SealedServiceKey));
}

/// <summary>One-time enrolment tokens for message servers.</summary>
internal sealed class EnrolmentTokens(
    AuthDbContext database,
    Microsoft.Extensions.Options.IOptions<AuthOptions> options,
    TimeProvider time)
{
    private const string Prefix = "kmsg_enrol_";

    public static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));

    /// <summary>Makes a token; it is returned here and kept nowhere.</summary>
    public async Task<(string Token, DateTimeOffset ExpiresAt)> CreateAsync(CancellationToken cancellationToken)
    {
        var token = Prefix + System.Buffers.Text.Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        var now = time.GetUtcNow();
        var expiresAt = now + options.Value.EnrolmentTokenLife;
        database.EnrolmentTokens.Add(new EnrolmentTokenRow { Hash = Hash(token), CreatedAt = now, ExpiresAt = expiresAt });
        await database.SaveChangesAsync(cancellationToken);
        return (token, expiresAt);
    }
}
