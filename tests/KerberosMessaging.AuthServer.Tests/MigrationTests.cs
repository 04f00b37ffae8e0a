using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.AuthServer.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace KerberosMessaging.AuthServer.Tests;

/// <summary>What migrations write into rows that were there before.</summary>
public sealed class MigrationTests : IDisposable
{
    private const string DeviceLinks = "20261123195921_DeviceLinks";

    private readonly TempFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Clients_were_last_seen_with_their_devices_or_when_they_registered_and_each_lockout_gets_an_id()
    {
        var (busy, fresh) = (Guid.NewGuid(), Guid.NewGuid());
        await using (var before = Open())
        {
            await before.GetService<IMigrator>().MigrateAsync(DeviceLinks, Cancel);
            await AddClientAsync(before, busy, "busy", createdAt: 1_000);
            await AddDeviceAsync(before, busy, lastSeenAt: 5_000);
            await AddDeviceAsync(before, busy, lastSeenAt: 9_000);
            await AddClientAsync(before, fresh, "fresh", createdAt: 3_000);
            await AddFailuresAsync(before, "192.0.2.1");
            await AddFailuresAsync(before, "192.0.2.2");
        }

        await using var now = Open();
        await now.Database.MigrateAsync(Cancel);

        var clients = await now.Clients.AsNoTracking().ToDictionaryAsync(static row => row.Id, Cancel);
        Assert.Equal(9_000, clients[busy].LastSeenAt.ToUnixTimeMilliseconds());
        Assert.Equal(3_000, clients[fresh].LastSeenAt.ToUnixTimeMilliseconds());
        var failures = await now.LoginFailures.AsNoTracking().ToListAsync(Cancel);
        Assert.Equal(["192.0.2.1", "192.0.2.2"], failures.Select(static row => row.Address).Order());
        Assert.Equal(2, failures.Select(static row => row.Id).Where(static id => id != Guid.Empty).Distinct().Count());
    }

    private static Task<int> AddClientAsync(AuthDbContext database, Guid id, string name, long createdAt) => database.Database.ExecuteSqlAsync(
        $"""
        INSERT INTO Clients (Id, Name, NameKey, OpaqueRecord, OpaqueKeyVersion, PreviousKeys, StretchingAlgorithm, StretchingIterations,
            StretchingMemoryKiB, CreatedAt, PasswordChangedAt)
        VALUES ({Bytes(id)}, {name}, {name}, x'00', 1, x'', 1, 1, 1, {createdAt}, {createdAt})
        """,
        Cancel);

    private static Task<int> AddDeviceAsync(AuthDbContext database, Guid client, long lastSeenAt) => database.Database.ExecuteSqlAsync(
        $"""
        INSERT INTO Devices (DeviceId, ClientId, Name, Identity, Certificate, Link, CreatedAt, LastSeenAt)
        VALUES (randomblob(16), {Bytes(client)}, '', x'00', x'00', x'', 2000, {lastSeenAt})
        """,
        Cancel);

    private static Task<int> AddFailuresAsync(AuthDbContext database, string address) => database.Database.ExecuteSqlAsync(
        $"INSERT INTO LoginFailures (NameHash, Address, Failures, FirstAt, LastAt, BlockedUntil) VALUES (randomblob(32), {address}, 3, 1, 2, 3)", Cancel);

    // As they are stored.
    private static byte[] Bytes(Guid id) => id.ToByteArray(bigEndian: true);

    private AuthDbContext Open() => new(new DbContextOptionsBuilder<AuthDbContext>().UseSqlite($"Data Source={_folder.File("auth.db")}").Options);
}
