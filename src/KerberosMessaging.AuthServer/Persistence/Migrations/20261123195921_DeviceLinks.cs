using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace KerberosMessaging.AuthServer.Persistence.Migrations
{
    /// <inheritdoc />
    public partial class DeviceLinks : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<byte[]>(
                name: "Link",
                table: "Devices",
                type: "BLOB",
                nullable: false,
                defaultValue: new byte[0]);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "Link",
                table: "Devices");
        }
    }
}
