using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace KerberosMessaging.MessageServer.Persistence.Sqlite.Migrations
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // Without rowid the envelopes lie in the order in which they are read, in one tree, not two. EF Core cannot say so;
            // a later migration that rebuilds one of these tables must say it again.
            migrationBuilder.Sql(
                """
                CREATE TABLE "Envelopes" (
                    "MailboxId" INTEGER NOT NULL,
                    "Sequence" INTEGER NOT NULL,
                    "MessageId" BLOB NOT NULL,
                    "SenderClientId" BLOB NOT NULL,
                    "SenderDeviceId" BLOB NOT NULL,
                    "SenderName" TEXT NOT NULL,
                    "AcceptedAt" INTEGER NOT NULL,
                    "ExpiresAt" INTEGER NOT NULL,
                    "Body" BLOB NOT NULL,
                    CONSTRAINT "PK_Envelopes" PRIMARY KEY ("MailboxId", "Sequence")
                ) WITHOUT ROWID;
                """);

            migrationBuilder.Sql(
                """
                CREATE TABLE "SentMessages" (
                    "SenderClientId" BLOB NOT NULL,
                    "MessageId" BLOB NOT NULL,
                    "Digest" BLOB NOT NULL,
                    "AcceptedAt" INTEGER NOT NULL,
                    CONSTRAINT "PK_SentMessages" PRIMARY KEY ("SenderClientId", "MessageId")
                ) WITHOUT ROWID;
                """);

            migrationBuilder.CreateTable(
                name: "Mailboxes",
                columns: table => new
                {
                    Id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    ClientId = table.Column<byte[]>(type: "BLOB", maxLength: 16, nullable: false),
                    DeviceId = table.Column<byte[]>(type: "BLOB", maxLength: 16, nullable: false),
                    ClientName = table.Column<string>(type: "TEXT", nullable: false),
                    LastSequence = table.Column<long>(type: "INTEGER", nullable: false),
                    CreatedAt = table.Column<long>(type: "INTEGER", nullable: false),
                    LastSeenAt = table.Column<long>(type: "INTEGER", nullable: false),
                    PrekeyBundle = table.Column<byte[]>(type: "BLOB", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_Mailboxes", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "ServerIdentities",
                columns: table => new
                {
                    Id = table.Column<int>(type: "INTEGER", nullable: false),
                    ServerId = table.Column<byte[]>(type: "BLOB", maxLength: 16, nullable: false),
                    SealedSigningSeed = table.Column<byte[]>(type: "BLOB", nullable: false),
                    SealedServiceKey = table.Column<byte[]>(type: "BLOB", nullable: false),
                    KeyVersion = table.Column<uint>(type: "INTEGER", nullable: false),
                    RealmSigningKey = table.Column<byte[]>(type: "BLOB", nullable: false),
                    EnrolledAt = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_ServerIdentities", x => x.Id);
                });

            migrationBuilder.CreateIndex(
                name: "IX_Envelopes_ExpiresAt",
                table: "Envelopes",
                column: "ExpiresAt");

            migrationBuilder.CreateIndex(
                name: "IX_Mailboxes_ClientId_DeviceId",
                table: "Mailboxes",
                columns: new[] { "ClientId", "DeviceId" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_Mailboxes_ClientName_DeviceId",
                table: "Mailboxes",
                columns: new[] { "ClientName", "DeviceId" });

            migrationBuilder.CreateIndex(
                name: "IX_SentMessages_AcceptedAt",
                table: "SentMessages",
                column: "AcceptedAt");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "Envelopes");

            migrationBuilder.DropTable(
                name: "Mailboxes");

            migrationBuilder.DropTable(
                name: "SentMessages");

            migrationBuilder.DropTable(
                name: "ServerIdentities");
        }
    }
}
