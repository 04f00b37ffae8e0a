using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace KerberosMessaging.MessageServer.Persistence.Sqlite.Migrations
{
    /// <inheritdoc />
    public partial class KeyVersions : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "PendingEnrolments",
                columns: table => new
                {
                    Id = table.Column<int>(type: "INTEGER", nullable: false),
                    TokenHash = table.Column<byte[]>(type: "BLOB", nullable: false),
                    SealedSigningSeed = table.Column<byte[]>(type: "BLOB", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_PendingEnrolments", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "ServiceKeys",
                columns: table => new
                {
                    Version = table.Column<uint>(type: "INTEGER", nullable: false),
                    SealedKey = table.Column<byte[]>(type: "BLOB", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_ServiceKeys", x => x.Version);
                });

            migrationBuilder.CreateTable(
                name: "TicketSigningKeys",
                columns: table => new
                {
                    Version = table.Column<uint>(type: "INTEGER", nullable: false),
                    PublicKey = table.Column<byte[]>(type: "BLOB", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_TicketSigningKeys", x => x.Version);
                });

            // The one key that there was becomes the first of several. The realm signed tickets with its own key then, and
            // that is the one to know the auth server by: the keys that it signs tickets with now come from it.
            migrationBuilder.Sql(
                """INSERT INTO "ServiceKeys" ("Version", "SealedKey") SELECT "KeyVersion", "SealedServiceKey" FROM "ServerIdentities";""");

            migrationBuilder.RenameColumn(
                name: "RealmSigningKey",
                table: "ServerIdentities",
                newName: "RealmKey");

            migrationBuilder.DropColumn(
                name: "KeyVersion",
                table: "ServerIdentities");

            migrationBuilder.DropColumn(
                name: "SealedServiceKey",
                table: "ServerIdentities");

            migrationBuilder.AddColumn<byte[]>(
                name: "TokenHash",
                table: "ServerIdentities",
                type: "BLOB",
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "TokenHash",
                table: "ServerIdentities");

            migrationBuilder.RenameColumn(
                name: "RealmKey",
                table: "ServerIdentities",
                newName: "RealmSigningKey");

            migrationBuilder.AddColumn<uint>(
                name: "KeyVersion",
                table: "ServerIdentities",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0u);

            migrationBuilder.AddColumn<byte[]>(
                name: "SealedServiceKey",
                table: "ServerIdentities",
                type: "BLOB",
                nullable: false,
                defaultValue: new byte[0]);

            migrationBuilder.Sql(
                """
                UPDATE "ServerIdentities" SET ("KeyVersion", "SealedServiceKey") =
                    (SELECT "Version", "SealedKey" FROM "ServiceKeys" ORDER BY "Version" DESC LIMIT 1);
                """);

            migrationBuilder.DropTable(
                name: "PendingEnrolments");

            migrationBuilder.DropTable(
                name: "ServiceKeys");

            migrationBuilder.DropTable(
                name: "TicketSigningKeys");
        }
    }
}
