using KerberosMessaging.Hosting.Admin.Access;
using KerberosMessaging.Hosting.Audit;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace KerberosMessaging.AuthServer.Persistence;

/// <summary>The auth server's database. Times are integers (SQLite orders no DateTimeOffset), identifiers 16-byte blobs.</summary>
internal sealed class AuthDbContext(DbContextOptions<AuthDbContext> options) : DbContext(options)
{
    public DbSet<RealmKeyRow> RealmKeys => Set<RealmKeyRow>();

    public DbSet<ClientRow> Clients => Set<ClientRow>();

    public DbSet<DeviceRow> Devices => Set<DeviceRow>();

    public DbSet<SessionRow> Sessions => Set<SessionRow>();

    public DbSet<MessageServerRow> MessageServers => Set<MessageServerRow>();

    public DbSet<ServiceKeyRow> ServiceKeys => Set<ServiceKeyRow>();

    public DbSet<OneTimeTokenRow> OneTimeTokens => Set<OneTimeTokenRow>();

    public DbSet<RevocationRow> Revocations => Set<RevocationRow>();

    public DbSet<LoginFailureRow> LoginFailures => Set<LoginFailureRow>();

    public DbSet<AuditRow> AuditEvents => Set<AuditRow>();

    public DbSet<AuditHeadRow> AuditHeads => Set<AuditHeadRow>();

    public DbSet<AdminTokenRow> AdminTokens => Set<AdminTokenRow>();

    public DbSet<TransparencyEntryRow> TransparencyEntries => Set<TransparencyEntryRow>();

    public DbSet<TransparencyNodeRow> TransparencyNodes => Set<TransparencyNodeRow>();

    public DbSet<TransparencyHeadRow> TransparencyHeads => Set<TransparencyHeadRow>();

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        configurationBuilder.Properties<Guid>().HaveConversion<BigEndianGuid>();
        configurationBuilder.Properties<DateTimeOffset>().HaveConversion<UnixMilliseconds>();
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<RealmKeyRow>().HasKey(row => new { row.Purpose, row.Version });

        modelBuilder.Entity<ClientRow>(client =>
        {
            client.HasIndex(row => row.NameKey).IsUnique();
            client.HasIndex(row => row.NameSkeleton).IsUnique();

            // One for each order of the list. They have all that it can be filtered by: SQLite passes over the clients that do not
            // fit within the index, and reads from the table only those of the page.
            client.HasIndex(
                row => new { row.CreatedAt, row.Id, row.NameKey, row.LastSeenAt, row.DisabledAt, row.DeletedAt, row.HomeServerId },
                ClientRow.ByCreation);
            client.HasIndex(
                row => new { row.NameKey, row.Id, row.CreatedAt, row.LastSeenAt, row.DisabledAt, row.DeletedAt, row.HomeServerId },
                ClientRow.ByName);
            client.HasIndex(
                row => new { row.LastSeenAt, row.Id, row.NameKey, row.CreatedAt, row.DisabledAt, row.DeletedAt, row.HomeServerId },
                ClientRow.ByLastSeen);
        });

        modelBuilder.Entity<DeviceRow>(device =>
        {
            device.HasKey(row => row.Serial);
            device.HasIndex(row => new { row.ClientId, row.DeviceId }).IsUnique();

            // Counts active devices without reading their certificates.
            device.HasIndex(row => row.ClientId, "IX_Devices_Active").HasFilter("\"RevokedAt\" IS NULL");
            device.HasOne<ClientRow>().WithMany().HasForeignKey(row => row.ClientId);
        });

        modelBuilder.Entity<SessionRow>(session =>
        {
            // All have what says whether a session lives.
            session.HasIndex(row => new { row.ClientId, row.RevokedAt, row.ExpiresAt });
            session.HasIndex(row => new { row.ExpiresAt, row.Id, row.RevokedAt, row.ClientId }, SessionRow.ByExpiry);
            session.HasIndex(row => new { row.CreatedAt, row.Id, row.RevokedAt, row.ExpiresAt }, SessionRow.ByCreation);
            session.HasOne<ClientRow>().WithMany().HasForeignKey(row => row.ClientId);
        });

        modelBuilder.Entity<MessageServerRow>().HasIndex(row => new { row.EnrolledAt, row.Id });

        modelBuilder.Entity<ServiceKeyRow>(key =>
        {
            key.HasKey(row => new { row.ServerId, row.Version });
            key.HasOne<MessageServerRow>().WithMany().HasForeignKey(row => row.ServerId);
        });

        modelBuilder.Entity<OneTimeTokenRow>(token =>
        {
            token.HasIndex(row => row.Hash).IsUnique();
            token.HasIndex(row => new { row.CreatedAt, row.Id });
        });

        modelBuilder.Entity<RevocationRow>(revocation =>
        {
            // Numbers that SQLite never gives twice, even when the newest rows were removed.
            revocation.HasKey(row => row.Position);
            revocation.Property(row => row.Position).ValueGeneratedOnAdd().HasAnnotation("Sqlite:Autoincrement", true);
            revocation.HasIndex(row => row.At);
        });

        modelBuilder.Entity<LoginFailureRow>(failure =>
        {
            failure.HasKey(row => new { row.NameHash, row.Address });
            failure.HasIndex(row => row.Id).IsUnique();
            failure.HasIndex(row => new { row.FirstAt, row.Id });
            failure.HasIndex(row => new { row.LastAt, row.Id });
        });

        modelBuilder.Entity<AuditRow>(audit =>
        {
            audit.HasKey(row => row.Sequence);
            audit.Property(row => row.Sequence).ValueGeneratedNever();

            // In the order of the sequence too. One by time would be slower than none: SQLite would sort by it all that a
            // broad filter finds, where reading back from the end finds a page at once.
            audit.HasIndex(row => row.Kind);
        });
        modelBuilder.Entity<AdminTokenRow>().HasIndex(row => row.Hash).IsUnique();
        modelBuilder.Entity<AuditHeadRow>().Property(row => row.Id).ValueGeneratedNever();
        ConfigureTransparency(modelBuilder);
    }

    private static void ConfigureTransparency(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<TransparencyEntryRow>(entry =>
        {
            entry.HasKey(row => row.Index);
            entry.Property(row => row.Index).ValueGeneratedNever();
        });
        modelBuilder.Entity<TransparencyNodeRow>().HasKey(row => new { row.Level, row.Index });
        modelBuilder.Entity<TransparencyHeadRow>(head =>
        {
            head.HasKey(row => row.Size);
            head.Property(row => row.Size).ValueGeneratedNever();
        });
    }

    /// <summary>Big-endian, so that the blob reads like the identifier is printed.</summary>
    private sealed class BigEndianGuid() : ValueConverter<Guid, byte[]>(
        static value => value.ToByteArray(true),
        static bytes => new Guid(bytes, true));

    private sealed class UnixMilliseconds() : ValueConverter<DateTimeOffset, long>(
        static value => value.ToUnixTimeMilliseconds(),
        static milliseconds => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds));
}
