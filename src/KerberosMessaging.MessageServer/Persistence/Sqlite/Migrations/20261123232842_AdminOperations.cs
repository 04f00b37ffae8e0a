using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace KerberosMessaging.MessageServer.Persistence.Sqlite.Migrations
{
    /// <summary>Blobs get handles, devices are found by their id alone, uploads of prekeys are noted, and clients may have limits of their own.</summary>
    public partial class AdminOperations : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "PrekeysUploadedAt",
                table: "Mailboxes",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<byte[]>(
                name: "Handle",
                table: "Blobs",
                type: "BLOB",
                maxLength: 16,
                nullable: false,
                defaultValue: new byte[0]);

            // Blobs from before get one each; it must be random, and no two may have the same.
            migrationBuilder.Sql("UPDATE Blobs SET Handle = randomblob(16)");

            migrationBuilder.CreateTable(
                name: "LimitOverrides",
                columns: table => new
                {
                    ClientId = table.Column<byte[]>(type: "BLOB", maxLength: 16, nullable: false),
                    RequestsPerSecond = table.Column<int>(type: "INTEGER", nullable: false),
                    Burst = table.Column<int>(type: "INTEGER", nullable: false),
                    ExpiresAt = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_LimitOverrides", x => x.ClientId);
                });

            migrationBuilder.CreateIndex(
                name: "IX_Mailboxes_DeviceId",
                table: "Mailboxes",
                column: "DeviceId");

            migrationBuilder.CreateIndex(
                name: "IX_Blobs_CreatedAt_Handle",
                table: "Blobs",
                columns: new[] { "CreatedAt", "Handle" });

            migrationBuilder.CreateIndex(
                name: "IX_Blobs_Handle",
                table: "Blobs",
                column: "Handle",
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "LimitOverrides");

            migrationBuilder.DropIndex(
                name: "IX_Mailboxes_DeviceId",
                table: "Mailboxes");

            migrationBuilder.DropIndex(
                name: "IX_Blobs_CreatedAt_Handle",
                table: "Blobs");

            migrationBuilder.DropIndex(
                name: "IX_Blobs_Handle",
                table: "Blobs");

            migrationBuilder.DropColumn(
                name: "PrekeysUploadedAt",
                table: "Mailboxes");

            migrationBuilder.DropColumn(
                name: "Handle",
                table: "Blobs");
        }
    }
}
