using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace KerberosMessaging.AuthServer.Persistence.Migrations
{
    /// <inheritdoc />
    public partial class ListIndexes : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "IX_Sessions_CreatedAt_Id",
                table: "Sessions");

            migrationBuilder.DropIndex(
                name: "IX_Sessions_ExpiresAt_Id_RevokedAt",
                table: "Sessions");

            migrationBuilder.DropIndex(
                name: "IX_Clients_CreatedAt_Id",
                table: "Clients");

            migrationBuilder.DropIndex(
                name: "IX_Clients_LastSeenAt_Id",
                table: "Clients");

            migrationBuilder.CreateIndex(
                name: "IX_Sessions_ByCreation",
                table: "Sessions",
                columns: new[] { "CreatedAt", "Id", "RevokedAt", "ExpiresAt" });

            migrationBuilder.CreateIndex(
                name: "IX_Sessions_ByExpiry",
                table: "Sessions",
                columns: new[] { "ExpiresAt", "Id", "RevokedAt", "ClientId" });

            migrationBuilder.CreateIndex(
                name: "IX_Clients_ByCreation",
                table: "Clients",
                columns: new[] { "CreatedAt", "Id", "NameKey", "LastSeenAt", "DisabledAt", "DeletedAt", "HomeServerId" });

            migrationBuilder.CreateIndex(
                name: "IX_Clients_ByLastSeen",
                table: "Clients",
                columns: new[] { "LastSeenAt", "Id", "NameKey", "CreatedAt", "DisabledAt", "DeletedAt", "HomeServerId" });

            migrationBuilder.CreateIndex(
                name: "IX_Clients_ByName",
                table: "Clients",
                columns: new[] { "NameKey", "Id", "CreatedAt", "LastSeenAt", "DisabledAt", "DeletedAt", "HomeServerId" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "IX_Sessions_ByCreation",
                table: "Sessions");

            migrationBuilder.DropIndex(
                name: "IX_Sessions_ByExpiry",
                table: "Sessions");

            migrationBuilder.DropIndex(
                name: "IX_Clients_ByCreation",
                table: "Clients");

            migrationBuilder.DropIndex(
                name: "IX_Clients_ByLastSeen",
                table: "Clients");

            migrationBuilder.DropIndex(
                name: "IX_Clients_ByName",
                table: "Clients");

            migrationBuilder.CreateIndex(
                name: "IX_Sessions_CreatedAt_Id",
                table: "Sessions",
                columns: new[] { "CreatedAt", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_Sessions_ExpiresAt_Id_RevokedAt",
                table: "Sessions",
                columns: new[] { "ExpiresAt", "Id", "RevokedAt" });

            migrationBuilder.CreateIndex(
                name: "IX_Clients_CreatedAt_Id",
                table: "Clients",
                columns: new[] { "CreatedAt", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_Clients_LastSeenAt_Id",
                table: "Clients",
                columns: new[] { "LastSeenAt", "Id" });
        }
    }
}
