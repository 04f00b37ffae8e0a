using KerberosMessaging.Hosting.Admin.Access;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.MessageServer.Persistence.Audit;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace KerberosMessaging.MessageServer.Persistence;

/// <summary>
/// The database model and its migrations. It has no relations on purpose: the mailboxes' hot path is SQL of its own, which
/// keeps them in order by itself, and a foreign key would cost a look-up for each envelope.
/// </summary>
internal sealed class MessageDbContext(DbContextOptions<MessageDbContext> options) : DbContext(options)
{
    public DbSet<ServerIdentityRow> ServerIdentities => Set<ServerIdentityRow>();

    public DbSet<PendingEnrolmentRow> PendingEnrolments => Set<PendingEnrolmentRow>();

    public DbSet<ServiceKeyRow> ServiceKeys => Set<ServiceKeyRow>();

    public DbSet<TicketSigningKeyRow> TicketSigningKeys => Set<TicketSigningKeyRow>();

    public DbSet<MailboxRow> Mailboxes => Set<MailboxRow>();

    public DbSet<EnvelopeRow> Envelopes => Set<EnvelopeRow>();

    public DbSet<SentIdsRow> SentIds => Set<SentIdsRow>();

    public DbSet<OneTimePrekeyRow> OneTimePrekeys => Set<OneTimePrekeyRow>();

    public DbSet<OneTimePrekeyStockRow> OneTimePrekeyStocks => Set<OneTimePrekeyStockRow>();

    public DbSet<BlobRow> Blobs => Set<BlobRow>();

    public DbSet<AuditRow> AuditEvents => Set<AuditRow>();

    public DbSet<AuditHeadRow> AuditHeads => Set<AuditHeadRow>();

    public DbSet<AuditKeyRow> AuditKeys => Set<AuditKeyRow>();

    public DbSet<AdminTokenRow> AdminTokens => Set<AdminTokenRow>();

    public DbSet<LimitOverrideRow> LimitOverrides => Set<LimitOverrideRow>();

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        configurationBuilder.Properties<Guid>().HaveConversion<BigEndianGuidConverter>().HaveMaxLength(16);
        configurationBuilder.Properties<DateTimeOffset>().HaveConversion<UnixMilliseconds>();
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<ServerIdentityRow>().Property(static row => row.Id).ValueGeneratedNever();
        modelBuilder.Entity<PendingEnrolmentRow>().Property(static row => row.Id).ValueGeneratedNever();

        modelBuilder.Entity<ServiceKeyRow>(static key =>
        {
            key.HasKey(static row => row.Version);
            key.Property(static row => row.Version).ValueGeneratedNever();
        });

        modelBuilder.Entity<TicketSigningKeyRow>(static key =>
        {
            key.HasKey(static row => row.Version);
            key.Property(static row => row.Version).ValueGeneratedNever();
        });

        modelBuilder.Entity<MailboxRow>(static mailbox =>
        {
            mailbox.HasIndex(static row => new { row.ClientId, row.DeviceId }).IsUnique();
            mailbox.HasIndex(static row => new { row.ClientName, row.DeviceId });
            mailbox.HasIndex(static row => row.DeviceId);
        });

        modelBuilder.Entity<EnvelopeRow>(static envelope =>
        {
            envelope.Property(static row => row.Id).ValueGeneratedNever();
            envelope.HasIndex(static row => row.ExpiresAt);
        });

        modelBuilder.Entity<SentIdsRow>(static sent =>
        {
            sent.Property(static row => row.Id).ValueGeneratedNever();
            sent.HasIndex(static row => row.AcceptedAt);
        });

        // By their keys, those of a device lie in the order in which they are handed out.
        modelBuilder.Entity<OneTimePrekeyRow>().HasKey(static row => new { row.MailboxId, row.Kind, row.Id });
        modelBuilder.Entity<OneTimePrekeyStockRow>().HasKey(static row => new { row.MailboxId, row.Kind });

        modelBuilder.Entity<AuditRow>(static audit =>
        {
            audit.HasKey(static row => row.Sequence);
            audit.Property(static row => row.Sequence).ValueGeneratedNever();
        });
        modelBuilder.Entity<AuditHeadRow>().Property(static row => row.Id).ValueGeneratedNever();
        modelBuilder.Entity<AuditKeyRow>().Property(static row => row.Id).ValueGeneratedNever();
        modelBuilder.Entity<AdminTokenRow>().HasIndex(static row => row.Hash).IsUnique();

        modelBuilder.Entity<BlobRow>(static blob =>
        {
            blob.Property(static row => row.Id).ValueGeneratedNever();
            blob.HasIndex(static row => row.Handle).IsUnique();
            blob.HasIndex(static row => row.ClientId);
            blob.HasIndex(static row => new { row.CreatedAt, row.Handle });
            blob.HasIndex(static row => row.ExpiresAt);
        });

        modelBuilder.Entity<LimitOverrideRow>().HasKey(static row => row.ClientId);
    }

    private sealed class UnixMilliseconds() : ValueConverter<DateTimeOffset, long>(
        static value => value.ToUnixTimeMilliseconds(),
        static milliseconds => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds));
}
