using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.MessageServer.Persistence.Sqlite;
using KerberosMessaging.MessageServer.Realm;
using KerberosMessaging.MessageServer.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace KerberosMessaging.MessageServer.Tests.Enrolment;

public sealed class StartTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_server_without_a_realm_says_what_to_set()
    {
        var e = await FailAsync();
        Assert.Contains("Realm:Fingerprint", e, StringComparison.Ordinal);
        Assert.Contains("Realm:EnrolmentToken", e, StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_that_is_wrong_with_the_realm_is_told_at_once()
    {
        var e = await FailAsync(
            "--Realm:Host=", "--Realm:Port=0", "--Realm:Fingerprint=12:34", $"--Realm:Name={new string('x', 65)}", "--Realm:AdvertisedPort=70000");
        Assert.All(
            ["Host", "Port", "Fingerprint", "Name", "AdvertisedPort"], field => Assert.Contains(field, e, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Wrong_options_of_several_sections_are_told_in_one_line()
    {
        var e = await FailAsync("--Realm:Port=0", "--Mailbox:MaxMessages=0");
        Assert.Contains("Realm:Port", e, StringComparison.Ordinal);
        Assert.Contains("Mailbox:MaxMessages", e, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--Wire:Port=abc", "Wire:Port")]
    [InlineData("--Realm:Port=abc", "Realm:Port")]
    public async Task A_value_of_the_wrong_type_is_told(string argument, string name) =>
        Assert.Contains(name, await FailAsync(argument), StringComparison.Ordinal);

    [Fact]
    public async Task A_file_that_is_no_database_is_told()
    {
        await File.WriteAllTextAsync(_folder.File("message.db"), new string('x', 10_000), TestContext.Current.CancellationToken);
        Assert.Contains(_folder.File("message.db"), await FailAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_server_stays_out_of_the_data_folder()
    {
        using var realm = new TestRealm();
        await realm.EnrolAsync(_folder.FullName);
        await using (await MessageServerApp.BuildAsync(Arguments()))
        {
            Assert.Contains("in use by another", await FailAsync(), StringComparison.Ordinal);
        }

        await using (await MessageServerApp.BuildAsync(Arguments()))
        {
        }
    }

    [Fact]
    public async Task A_migration_that_was_broken_off_does_not_stop_the_next_start()
    {
        using var realm = new TestRealm();
        await realm.EnrolAsync(_folder.FullName);
        await using (var context = new TestContexts(_folder.File("message.db")).CreateDbContext())
        {
            await context.GetService<IMigrator>().MigrateAsync(context.Database.GetMigrations().SkipLast(1).Last(), Cancellation);
            await context.Database.ExecuteSqlAsync($"INSERT INTO __EFMigrationsLock (Id, Timestamp) VALUES (1, '2026-01-01')", Cancellation);
        }

        await using var app = await MessageServerApp.BuildAsync(Arguments());
        await using var now = new TestContexts(_folder.File("message.db")).CreateDbContext();
        Assert.Empty(await now.Database.GetPendingMigrationsAsync(Cancellation));
    }

    [Fact]
    public async Task A_later_start_needs_to_write_nothing()
    {
        using var realm = new TestRealm();
        await realm.EnrolAsync(_folder.FullName);
        await (await MessageServerApp.BuildAsync(Arguments())).DisposeAsync();
        using var connection = new SqliteDatabase(_folder.File("message.db")).Open();
        using var command = connection.CreateCommand();
        command.CommandText = "BEGIN IMMEDIATE";
        command.ExecuteNonQuery();

        await using var app = await MessageServerApp.BuildAsync(Arguments());
    }

    [Fact]
    public async Task Keys_that_do_not_open_are_told()
    {
        using var realm = new TestRealm();
        await realm.EnrolAsync(_folder.FullName);
        Directory.Delete(_folder.File("keys"), recursive: true);
        Assert.Contains("key ring", await FailAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff", true)]
    [InlineData("00:11:22:33 44:55:66:77 88:99:AA:BB CC:DD:EE:FF 00:11:22:33 44:55:66:77 88:99:aa:bb cc:dd:ee:ff\n", true)]
    [InlineData("00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeef", false)]
    [InlineData("g0112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff", false)]
    [InlineData("", false)]
    public void Fingerprints_are_read_as_people_write_them(string text, bool isRight) =>
        Assert.Equal(isRight, RealmFingerprint.TryParse(text, out _));

    private string[] Arguments(params string[] more) =>
        [$"--Data:Directory={_folder.FullName}", "--Wire:Port=0", "--Admin:Port=0", .. more];

    private async Task<string> FailAsync(params string[] more)
    {
        var exception = await Assert.ThrowsAnyAsync<Exception>(() => MessageServerApp.BuildAsync(Arguments(more)));
        var line = ServerProgram.Explain(exception);
        Assert.NotNull(line);
        Assert.DoesNotContain('\n', line);
        return line;
    }
}
