using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace KerberosMessaging.AuthServer.Persistence.Migrations
{
    /// <inheritdoc />
    public partial class Accounts : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "EnrolmentTokens");

            migrationBuilder.AddColumn<long>(
                name: "NeededUntil",
                table: "RealmKeys",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "LastSeenAt",
                table: "MessageServers",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "LastSeenAt",
                table: "Devices",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.AddColumn<string>(
                name: "RevokedReason",
                table: "Devices",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "DeletedAt",
                table: "Clients",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "DisabledAt",
                table: "Clients",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "NameSkeleton",
                table: "Clients",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<uint>(
                name: "OpaqueKeyVersion",
                table: "Clients",
                type: "INTEGER",
                nullable: false,
                defaultValue: 1u);

            migrationBuilder.AddColumn<long>(
                name: "PasswordChangedAt",
                table: "Clients",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.AddColumn<byte[]>(
                name: "PreviousKeys",
                table: "Clients",
                type: "BLOB",
                nullable: false,
                defaultValue: new byte[0]);

            migrationBuilder.CreateTable(
                name: "AuditEvents",
                columns: table => new
                {
                    Sequence = table.Column<long>(type: "INTEGER", nullable: false),
                    At = table.Column<long>(type: "INTEGER", nullable: false),
                    Kind = table.Column<int>(type: "INTEGER", nullable: false),
                    Result = table.Column<int>(type: "INTEGER", nullable: false),
                    Actor = table.Column<string>(type: "TEXT", nullable: false),
                    Address = table.Column<string>(type: "TEXT", nullable: false),
                    Target = table.Column<string>(type: "TEXT", nullable: false),
                    Detail = table.Column<string>(type: "TEXT", nullable: false),
                    Correlation = table.Column<string>(type: "TEXT", nullable: false),
                    Hash = table.Column<byte[]>(type: "BLOB", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_AuditEvents", x => x.Sequence);
                });

            migrationBuilder.CreateTable(
                name: "AuditHeads",
                columns: table => new
                {
                    Id = table.Column<int>(type: "INTEGER", nullable: false),
                    Sequence = table.Column<long>(type: "INTEGER", nullable: false),
                    Mac = table.Column<byte[]>(type: "BLOB", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_AuditHeads", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "LoginFailures",
                columns: table => new
                {
                    NameHash = table.Column<byte[]>(type: "BLOB", nullable: false),
                    Address = table.Column<string>(type: "TEXT", nullable: false),
                    ClientId = table.Column<byte[]>(type: "BLOB", nullable: true),
                    Failures = table.Column<int>(type: "INTEGER", nullable: false),
                    FirstAt = table.Column<long>(type: "INTEGER", nullable: false),
                    LastAt = table.Column<long>(type: "INTEGER", nullable: false),
                    BlockedUntil = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_LoginFailures", x => new { x.NameHash, x.Address });
                });

            migrationBuilder.CreateTable(
                name: "OneTimeTokens",
                columns: table => new
                {
                    Id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    Purpose = table.Column<int>(type: "INTEGER", nullable: false),
                    Hash = table.Column<byte[]>(type: "BLOB", nullable: false),
                    CreatedAt = table.Column<long>(type: "INTEGER", nullable: false),
                    ExpiresAt = table.Column<long>(type: "INTEGER", nullable: false),
                    NameKey = table.Column<string>(type: "TEXT", nullable: true),
                    ClientId = table.Column<byte[]>(type: "BLOB", nullable: true),
                    ServerId = table.Column<byte[]>(type: "BLOB", nullable: true),
                    UsedAt = table.Column<long>(type: "INTEGER", nullable: true),
                    UsedBy = table.Column<byte[]>(type: "BLOB", nullable: true),
                    RevokedAt = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_OneTimeTokens", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "Revocations",
                columns: table => new
                {
                    Position = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    Kind = table.Column<int>(type: "INTEGER", nullable: false),
                    ClientId = table.Column<byte[]>(type: "BLOB", nullable: false),
                    DeviceId = table.Column<byte[]>(type: "BLOB", nullable: false),
                    SessionId = table.Column<byte[]>(type: "BLOB", nullable: false),
                    At = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_Revocations", x => x.Position);
                });

            migrationBuilder.CreateTable(
                name: "ServiceKeys",
                columns: table => new
                {
                    ServerId = table.Column<byte[]>(type: "BLOB", nullable: false),
                    Version = table.Column<uint>(type: "INTEGER", nullable: false),
                    Sealed = table.Column<byte[]>(type: "BLOB", nullable: false),
                    CreatedAt = table.Column<long>(type: "INTEGER", nullable: false),
                    ConfirmedAt = table.Column<long>(type: "INTEGER", nullable: true),
                    NeededUntil = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_ServiceKeys", x => new { x.ServerId, x.Version });
                    table.ForeignKey(
                        name: "FK_ServiceKeys_MessageServers_ServerId",
                        column: x => x.ServerId,
                        principalTable: "MessageServers",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                });

            // Each server's key becomes the first of its versions; it learns the first ticket-signing key when it next connects.
            migrationBuilder.Sql(
                """
                INSERT INTO "ServiceKeys" ("ServerId", "Version", "Sealed", "CreatedAt", "ConfirmedAt")
                SELECT "Id", "KeyVersion", "SealedServiceKey", "EnrolledAt", "EnrolledAt" FROM "MessageServers"
                """);
            migrationBuilder.Sql("""UPDATE "MessageServers" SET "KeyVersion" = 1""");
            migrationBuilder.Sql("""UPDATE "Clients" SET "PasswordChangedAt" = "CreatedAt" """);

            migrationBuilder.DropColumn(
                name: "SealedServiceKey",
                table: "MessageServers");

            migrationBuilder.RenameColumn(
                name: "KeyVersion",
                table: "MessageServers",
                newName: "TicketSigningVersion");

            migrationBuilder.CreateIndex(
                name: "IX_Clients_NameSkeleton",
                table: "Clients",
                column: "NameSkeleton",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_LoginFailures_LastAt",
                table: "LoginFailures",
                column: "LastAt");

            migrationBuilder.CreateIndex(
                name: "IX_OneTimeTokens_CreatedAt_Id",
                table: "OneTimeTokens",
                columns: new[] { "CreatedAt", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_OneTimeTokens_Hash",
                table: "OneTimeTokens",
                column: "Hash",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_Revocations_At",
                table: "Revocations",
                column: "At");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "AuditEvents");

            migrationBuilder.DropTable(
                name: "AuditHeads");

            migrationBuilder.DropTable(
                name: "LoginFailures");

            migrationBuilder.DropTable(
                name: "OneTimeTokens");

            migrationBuilder.DropTable(
                name: "Revocations");

            migrationBuilder.DropTable(
                name: "ServiceKeys");

            migrationBuilder.DropIndex(
                name: "IX_Clients_NameSkeleton",
                table: "Clients");

            migrationBuilder.DropColumn(
                name: "NeededUntil",
                table: "RealmKeys");

            migrationBuilder.DropColumn(
                name: "LastSeenAt",
                table: "MessageServers");

            migrationBuilder.DropColumn(
                name: "LastSeenAt",
                table: "Devices");

            migrationBuilder.DropColumn(
                name: "RevokedReason",
                table: "Devices");

            migrationBuilder.DropColumn(
                name: "DeletedAt",
                table: "Clients");

            migrationBuilder.DropColumn(
                name: "DisabledAt",
                table: "Clients");

            migrationBuilder.DropColumn(
                name: "NameSkeleton",
                table: "Clients");

            migrationBuilder.DropColumn(
                name: "OpaqueKeyVersion",
                table: "Clients");

            migrationBuilder.DropColumn(
                name: "PasswordChangedAt",
                table: "Clients");

            migrationBuilder.DropColumn(
                name: "PreviousKeys",
                table: "Clients");

            migrationBuilder.RenameColumn(
                name: "TicketSigningVersion",
                table: "MessageServers",
                newName: "KeyVersion");

            migrationBuilder.AddColumn<byte[]>(
                name: "SealedServiceKey",
                table: "MessageServers",
                type: "BLOB",
                nullable: false,
                defaultValue: new byte[0]);

            migrationBuilder.CreateTable(
                name: "EnrolmentTokens",
                columns: table => new
                {
                    Hash = table.Column<byte[]>(type: "BLOB", nullable: false),
                    CreatedAt = table.Column<long>(type: "INTEGER", nullable: false),
                    ExpiresAt = table.Column<long>(type: "INTEGER", nullable: false),
                    UsedAt = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_EnrolmentTokens", x => x.Hash);
                });
        }
    }
}
