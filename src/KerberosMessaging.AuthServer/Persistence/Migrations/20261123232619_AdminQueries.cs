using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace KerberosMessaging.AuthServer.Persistence.Migrations
{
    /// <inheritdoc />
    public partial class AdminQueries : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "IX_Sessions_ClientId",
                table: "Sessions");

            migrationBuilder.DropIndex(
                name: "IX_LoginFailures_LastAt",
                table: "LoginFailures");

            migrationBuilder.AddColumn<byte[]>(
                name: "Id",
                table: "LoginFailures",
                type: "BLOB",
                nullable: false,
                defaultValue: new byte[0]);

            migrationBuilder.AddColumn<long>(
                name: "LastSeenAt",
                table: "Clients",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0L);

            // Before the indexes, one of which is unique.
            migrationBuilder.Sql("""UPDATE "LoginFailures" SET "Id" = randomblob(16)""");
            migrationBuilder.Sql(
                """
                UPDATE "Clients" SET "LastSeenAt" = max("CreatedAt", coalesce(
                    (SELECT max(d."LastSeenAt") FROM "Devices" d WHERE d."ClientId" = "Clients"."Id"), 0))
                """);

            migrationBuilder.CreateIndex(
                name: "IX_Sessions_ClientId_RevokedAt_ExpiresAt",
                table: "Sessions",
                columns: new[] { "ClientId", "RevokedAt", "ExpiresAt" });

            migrationBuilder.CreateIndex(
                name: "IX_Sessions_ExpiresAt_Id_RevokedAt",
                table: "Sessions",
                columns: new[] { "ExpiresAt", "Id", "RevokedAt" });

            migrationBuilder.CreateIndex(
                name: "IX_LoginFailures_FirstAt_Id",
                table: "LoginFailures",
                columns: new[] { "FirstAt", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_LoginFailures_Id",
                table: "LoginFailures",
                column: "Id",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_LoginFailures_LastAt_Id",
                table: "LoginFailures",
                columns: new[] { "LastAt", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_Devices_Active",
                table: "Devices",
                column: "ClientId",
                filter: "\"RevokedAt\" IS NULL");

            migrationBuilder.CreateIndex(
                name: "IX_Clients_LastSeenAt_Id",
                table: "Clients",
                columns: new[] { "LastSeenAt", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_AuditEvents_Kind",
                table: "AuditEvents",
                column: "Kind");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "IX_Sessions_ClientId_RevokedAt_ExpiresAt",
                table: "Sessions");

            migrationBuilder.DropIndex(
                name: "IX_Sessions_ExpiresAt_Id_RevokedAt",
                table: "Sessions");

            migrationBuilder.DropIndex(
                name: "IX_LoginFailures_FirstAt_Id",
                table: "LoginFailures");

            migrationBuilder.DropIndex(
                name: "IX_LoginFailures_Id",
                table: "LoginFailures");

            migrationBuilder.DropIndex(
                name: "IX_LoginFailures_LastAt_Id",
                table: "LoginFailures");

            migrationBuilder.DropIndex(
                name: "IX_Devices_Active",
                table: "Devices");

            migrationBuilder.DropIndex(
                name: "IX_Clients_LastSeenAt_Id",
                table: "Clients");

            migrationBuilder.DropIndex(
                name: "IX_AuditEvents_Kind",
                table: "AuditEvents");

            migrationBuilder.DropColumn(
                name: "Id",
                table: "LoginFailures");

            migrationBuilder.DropColumn(
                name: "LastSeenAt",
                table: "Clients");

            migrationBuilder.CreateIndex(
                name: "IX_Sessions_ClientId",
                table: "Sessions",
                column: "ClientId");

            migrationBuilder.CreateIndex(
                name: "IX_LoginFailures_LastAt",
                table: "LoginFailures",
                column: "LastAt");
        }
    }
}
