using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace KerberosMessaging.MessageServer.Persistence.Sqlite.Migrations
{
    /// <summary>
    /// Envelopes get one key of mailbox and sequence number; what waits is carried over. Message ids are remembered by device, and
    /// those from before are not known any more.
    /// </summary>
    public partial class Mailboxes : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(name: "SentMessages");
            migrationBuilder.RenameColumn(name: "LastSequence", table: "Mailboxes", newName: "ReservedThrough");
            migrationBuilder.DropIndex(name: "IX_Envelopes_ExpiresAt", table: "Envelopes");
            migrationBuilder.RenameTable(name: "Envelopes", newName: "EnvelopesBefore");
            migrationBuilder.CreateTable(
                name: "Envelopes",
                columns: table => new
                {
                    Id = table.Column<long>(type: "INTEGER", nullable: false),
                    MessageId = table.Column<byte[]>(type: "BLOB", maxLength: 16, nullable: false),
                    SenderClientId = table.Column<byte[]>(type: "BLOB", maxLength: 16, nullable: false),
                    SenderDeviceId = table.Column<byte[]>(type: "BLOB", maxLength: 16, nullable: false),
                    SenderName = table.Column<string>(type: "TEXT", nullable: false),
                    AcceptedAt = table.Column<long>(type: "INTEGER", nullable: false),
                    ExpiresAt = table.Column<long>(type: "INTEGER", nullable: false),
                    Body = table.Column<byte[]>(type: "BLOB", nullable: false),
                },
                constraints: table => table.PrimaryKey("PK_Envelopes", x => x.Id));
            migrationBuilder.Sql(
                """
                INSERT INTO Envelopes (Id, MessageId, SenderClientId, SenderDeviceId, SenderName, AcceptedAt, ExpiresAt, Body)
                SELECT (MailboxId << 40) | Sequence, MessageId, SenderClientId, SenderDeviceId, SenderName, AcceptedAt, ExpiresAt, Body
                FROM EnvelopesBefore ORDER BY MailboxId, Sequence
                """);
            migrationBuilder.DropTable(name: "EnvelopesBefore");
            migrationBuilder.CreateIndex(name: "IX_Envelopes_ExpiresAt", table: "Envelopes", column: "ExpiresAt");

            migrationBuilder.CreateTable(
                name: "SentIds",
                columns: table => new
                {
                    Id = table.Column<long>(type: "INTEGER", nullable: false),
                    AcceptedAt = table.Column<long>(type: "INTEGER", nullable: false),
                    Ids = table.Column<byte[]>(type: "BLOB", nullable: false),
                },
                constraints: table => table.PrimaryKey("PK_SentIds", x => x.Id));
            migrationBuilder.CreateIndex(name: "IX_SentIds_AcceptedAt", table: "SentIds", column: "AcceptedAt");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(name: "SentIds");
            migrationBuilder.RenameColumn(name: "ReservedThrough", table: "Mailboxes", newName: "LastSequence");
            migrationBuilder.DropIndex(name: "IX_Envelopes_ExpiresAt", table: "Envelopes");
            migrationBuilder.RenameTable(name: "Envelopes", newName: "EnvelopesAfter");
            migrationBuilder.CreateTable(
                name: "Envelopes",
                columns: table => new
                {
                    MailboxId = table.Column<long>(type: "INTEGER", nullable: false),
                    Sequence = table.Column<long>(type: "INTEGER", nullable: false),
                    MessageId = table.Column<byte[]>(type: "BLOB", maxLength: 16, nullable: false),
                    SenderClientId = table.Column<byte[]>(type: "BLOB", maxLength: 16, nullable: false),
                    SenderDeviceId = table.Column<byte[]>(type: "BLOB", maxLength: 16, nullable: false),
                    SenderName = table.Column<string>(type: "TEXT", nullable: false),
                    AcceptedAt = table.Column<long>(type: "INTEGER", nullable: false),
                    ExpiresAt = table.Column<long>(type: "INTEGER", nullable: false),
                    Body = table.Column<byte[]>(type: "BLOB", nullable: false),
                },
                constraints: table => table.PrimaryKey("PK_Envelopes", x => new { x.MailboxId, x.Sequence }));
            migrationBuilder.Sql(
                """
                INSERT INTO Envelopes
                    (MailboxId, Sequence, MessageId, SenderClientId, SenderDeviceId, SenderName, AcceptedAt, ExpiresAt, Body)
                SELECT Id >> 40, Id & ((1 << 40) - 1), MessageId, SenderClientId, SenderDeviceId, SenderName, AcceptedAt, ExpiresAt, Body
                FROM EnvelopesAfter
                """);
            migrationBuilder.DropTable(name: "EnvelopesAfter");
            migrationBuilder.CreateIndex(name: "IX_Envelopes_ExpiresAt", table: "Envelopes", column: "ExpiresAt");
            migrationBuilder.CreateTable(
                name: "SentMessages",
                columns: table => new
                {
                    SenderClientId = table.Column<byte[]>(type: "BLOB", maxLength: 16, nullable: false),
                    MessageId = table.Column<byte[]>(type: "BLOB", maxLength: 16, nullable: false),
                    AcceptedAt = table.Column<long>(type: "INTEGER", nullable: false),
                    Digest = table.Column<byte[]>(type: "BLOB", nullable: false),
                },
                constraints: table => table.PrimaryKey("PK_SentMessages", x => new { x.SenderClientId, x.MessageId }));
            migrationBuilder.CreateIndex(name: "IX_SentMessages_AcceptedAt", table: "SentMessages", column: "AcceptedAt");
        }
    }
}
