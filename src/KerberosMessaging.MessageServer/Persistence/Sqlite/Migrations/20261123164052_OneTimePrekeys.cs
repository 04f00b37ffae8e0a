using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace KerberosMessaging.MessageServer.Persistence.Sqlite.Migrations
{
    /// <inheritdoc />
    public partial class OneTimePrekeys : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "OneTimePrekeys",
                columns: table => new
                {
                    MailboxId = table.Column<long>(type: "INTEGER", nullable: false),
                    Kind = table.Column<byte>(type: "INTEGER", nullable: false),
                    Id = table.Column<uint>(type: "INTEGER", nullable: false),
                    Key = table.Column<byte[]>(type: "BLOB", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_OneTimePrekeys", x => new { x.MailboxId, x.Kind, x.Id });
                });

            migrationBuilder.CreateTable(
                name: "OneTimePrekeyStocks",
                columns: table => new
                {
                    MailboxId = table.Column<long>(type: "INTEGER", nullable: false),
                    Kind = table.Column<byte>(type: "INTEGER", nullable: false),
                    NewestId = table.Column<uint>(type: "INTEGER", nullable: false),
                    Misses = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_OneTimePrekeyStocks", x => new { x.MailboxId, x.Kind });
                });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "OneTimePrekeys");

            migrationBuilder.DropTable(
                name: "OneTimePrekeyStocks");
        }
    }
}
