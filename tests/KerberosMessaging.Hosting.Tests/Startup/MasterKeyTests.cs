using System.Security.Cryptography;
using System.Text;
using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.Hosting.Tests.Admin;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Tests.Startup;

public sealed class MasterKeyTests : IDisposable
{
    private const string KeyA = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    private const string KeyB = "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff";

    private static readonly byte[] Secret = "a secret"u8.ToArray();

    private readonly TempFolder _folder = new();
    private readonly LogLines _log = new();

    private string Data => _folder.File("data");

    private string DefaultKey => Path.Combine(Data, "master.key");

    private string Check => Path.Combine(Data, "keys", "master-key.check");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Without_a_word_about_it_one_is_made_at_the_first_start_for_its_owner_alone()
    {
        var sealedSecret = Seal();

        Assert.Matches("^[0-9a-f]{64}\n$", File.ReadAllText(DefaultKey));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(DefaultKey));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Check));
        }

        var made = File.ReadAllText(DefaultKey);
        Assert.Equal(Secret, Open(sealedSecret));
        Assert.Equal(made, File.ReadAllText(DefaultKey));
    }

    [Fact]
    public void The_stored_keys_are_sealed_and_the_log_holds_nothing_of_them()
    {
        Seal();

        var stored = File.ReadAllText(Assert.Single(KeyFiles()));
        Assert.Contains("<sealedUnderMasterKey", stored, StringComparison.Ordinal);
        Assert.DoesNotContain("masterKey", stored, StringComparison.Ordinal);
        Assert.DoesNotContain("<value>", stored, StringComparison.Ordinal);
        Assert.DoesNotContain(_log.Lines, static line => line.Text.Contains("<value>", StringComparison.Ordinal));
        var text = File.ReadAllText(DefaultKey).Trim();
        Assert.DoesNotContain(_log.Lines, line => line.Text.Contains(text, StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain(_log.Lines, static line => line.Level >= LogLevel.Warning);
    }

    [Fact]
    public void Without_the_one_that_was_made_the_server_does_not_start_and_makes_no_other()
    {
        Seal();
        File.Delete(DefaultKey);

        AssertRefused($"the master key file '{DefaultKey}' is missing");

        Assert.False(File.Exists(DefaultKey));

        // Nor without the check, as long as something is sealed.
        File.Delete(Check);
        AssertRefused($"the master key file '{DefaultKey}' is missing");
    }

    [Theory]
    [InlineData(KeyA)]
    [InlineData("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F")]
    [InlineData(" \r\n\t" + KeyA + " \r\n")]
    [InlineData("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")]
    [InlineData("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n")]
    public void It_may_be_given_in_either_form_as_a_file_or_as_text(string text)
    {
        var sealedSecret = Seal(("MasterKeyFile", KeyFile(KeyA)));

        Assert.Equal(Secret, Open(sealedSecret, ("MasterKeyFile", KeyFile(text))));
        Assert.Equal(Secret, Open(sealedSecret, ("MasterKey", text), ("MasterKeyFile", "")));
        Assert.False(File.Exists(DefaultKey));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1")]
    [InlineData(KeyA + "2")]
    [InlineData(KeyA + KeyA)]
    [InlineData("g00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")]
    [InlineData("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==")]
    [InlineData("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g")]
    [InlineData("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8")]
    [InlineData("correct horse battery staple")]
    public void Anything_else_is_no_master_key(string text)
    {
        var file = KeyFile(text);

        AssertRefused($"the master key file '{file}' does not hold a master key", ("MasterKeyFile", file));
        AssertRefused($"the master key file '{file}' does not hold a master key", ("PreviousMasterKeyFile", file));
        if (!string.IsNullOrWhiteSpace(text))
        {
            AssertRefused("Data:MasterKey is not a master key", ("MasterKey", text));
        }
    }

    [Fact]
    public void A_file_that_cannot_be_read_is_named()
    {
        var missing = _folder.File("missing.key");
        AssertRefused($"the master key file '{missing}' does not exist", ("MasterKeyFile", missing));
        AssertRefused($"the master key file '{missing}' does not exist", ("PreviousMasterKeyFile", missing));
        AssertRefused($"the master key file '{Data}' cannot be read", ("MasterKeyFile", Data));
        var large = KeyFile(new string('a', 1_000_000));
        AssertRefused($"the master key file '{large}' does not hold a master key", ("MasterKeyFile", large));
    }

    [Fact]
    public void It_is_given_once()
    {
        var refusal = Assert.Throws<OptionsValidationException>(() => Start(("MasterKeyFile", KeyFile(KeyA)), ("MasterKey", KeyA)));

        var line = ServerProgram.Explain(refusal)!;
        Assert.Contains("MasterKeyFile exclude each other", line, StringComparison.Ordinal);
        Assert.DoesNotContain(KeyA, line, StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_one_is_refused_and_changes_nothing()
    {
        var sealedSecret = Seal(("MasterKey", KeyA));
        var before = Snapshot();

        AssertRefused($"the master key is not the one that '{Check}' was sealed under", ("MasterKey", KeyB));
        AssertRefused($"neither the master key nor the previous one opens '{Check}'", ("MasterKey", KeyB), ("PreviousMasterKeyFile", KeyFile(KeyB)));
        Assert.Equal(before, Snapshot());

        // Nor does it help to take the check away.
        var check = File.ReadAllBytes(Check);
        File.Delete(Check);
        var key = Assert.Single(KeyFiles());
        AssertRefused($"the master key is not the one that '{key}' was sealed under", ("MasterKey", KeyB));
        AssertRefused($"neither the master key nor the previous one opens '{key}'", ("MasterKey", KeyB), ("PreviousMasterKeyFile", KeyFile(KeyB)));
        File.WriteAllBytes(Check, check);
        Assert.Equal(before, Snapshot());

        Assert.Equal(Secret, Open(sealedSecret, ("MasterKey", KeyA)));
    }

    [Fact]
    public void A_wrong_one_is_refused_before_the_first_key_was_made()
    {
        Start(("MasterKey", KeyA)).Dispose();
        Assert.Empty(KeyFiles());

        AssertRefused("the master key is not the one", ("MasterKey", KeyB));
    }

    [Fact]
    public void It_is_changed_by_naming_the_previous_one_at_one_start()
    {
        var sealedSecret = Seal(("MasterKey", KeyA));

        Assert.Equal(Secret, Open(sealedSecret, ("MasterKey", KeyB), ("PreviousMasterKeyFile", KeyFile(KeyA))));

        AssertRefused("the master key is not the one", ("MasterKey", KeyA));
        Assert.Equal(Secret, Open(sealedSecret, ("MasterKey", KeyB), ("PreviousMasterKeyFile", KeyFile(KeyA))));
        Assert.Equal(Secret, Open(sealedSecret, ("MasterKey", KeyB)));
        Assert.Single(KeyFiles());
    }

    [Fact]
    public void The_one_that_was_made_can_be_changed_for_one_that_is_kept_elsewhere()
    {
        var sealedSecret = Seal();

        Assert.Equal(Secret, Open(sealedSecret, ("MasterKeyFile", KeyFile(KeyB)), ("PreviousMasterKeyFile", DefaultKey)));
        File.Delete(DefaultKey);

        Assert.Equal(Secret, Open(sealedSecret, ("MasterKeyFile", KeyFile(KeyB))));
    }

    [Fact]
    public void A_change_that_was_broken_off_goes_on_at_the_next_start()
    {
        byte[] sealedSecret;
        using (var server = Start(("MasterKey", KeyA)))
        {
            sealedSecret = Protector(server).Protect(Secret);
            for (var i = 0; i < 2; i++)
            {
                server.GetRequiredService<IKeyManager>().CreateNewKey(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(90));
            }
        }

        var old = KeyFiles().Append(Check).ToDictionary(static path => path, File.ReadAllBytes);
        Assert.Equal(4, old.Count);
        Start(("MasterKey", KeyB), ("PreviousMasterKeyFile", KeyFile(KeyA))).Dispose();

        // As it is when the power fails after the first file.
        foreach (var path in old.Keys.Skip(1))
        {
            File.WriteAllBytes(path, old[path]);
        }

        AssertRefused("the master key is not the one", ("MasterKey", KeyB));
        AssertRefused("the master key is not the one", ("MasterKey", KeyA));
        using (var server = Start(("MasterKey", KeyB), ("PreviousMasterKeyFile", KeyFile(KeyA))))
        {
            Assert.Equal(Secret, Protector(server).Unprotect(sealedSecret));
            Assert.Equal(3, server.GetRequiredService<IKeyManager>().GetAllKeys().Count(static key => key.CreateEncryptor() is not null));
        }

        Assert.Equal(Secret, Open(sealedSecret, ("MasterKey", KeyB)));
    }

    [Fact]
    public void A_key_ring_from_before_there_was_a_master_key_is_read_and_sealed()
    {
        var keys = Directory.CreateDirectory(Path.Combine(Data, "keys"));
        byte[] sealedSecret;
        using (var before = new ServiceCollection().AddDataProtection().SetApplicationName("server").PersistKeysToFileSystem(keys).Services.BuildServiceProvider())
        {
            sealedSecret = Protector(before).Protect(Secret);
        }

        Assert.Contains("<value>", File.ReadAllText(Assert.Single(KeyFiles())), StringComparison.Ordinal);

        Assert.Equal(Secret, Open(sealedSecret));

        var stored = File.ReadAllText(Assert.Single(KeyFiles()));
        Assert.DoesNotContain("<value>", stored, StringComparison.Ordinal);
        Assert.Contains("<sealedUnderMasterKey", stored, StringComparison.Ordinal);
        Assert.Equal(Secret, Open(sealedSecret));
    }

    [Fact]
    public void A_damaged_key_file_is_named()
    {
        Seal();
        var key = Assert.Single(KeyFiles());
        File.WriteAllText(key, "");

        AssertRefused($"the key file '{key}' is damaged");
    }

    [Fact]
    public void A_sealed_key_that_was_changed_is_refused()
    {
        Seal();
        var key = Assert.Single(KeyFiles());
        var stored = File.ReadAllText(key);
        var at = stored.IndexOf("</sealedUnderMasterKey>", StringComparison.Ordinal) - 30;
        File.WriteAllText(key, stored[..at] + (stored[at] == 'A' ? 'B' : 'A') + stored[(at + 1)..]);
        AssertRefused($"the master key is not the one that '{key}' was sealed under");

        File.WriteAllText(key, stored[..at] + '!' + stored[(at + 1)..]);
        AssertRefused($"the master key is not the one that '{key}' was sealed under");
    }

    [Fact]
    public void A_file_that_others_can_read_is_a_warning_and_no_refusal()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var file = KeyFile(KeyA);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var sealedSecret = Seal(("MasterKeyFile", file));
        Assert.DoesNotContain(_log.Lines, static line => line.Level >= LogLevel.Warning);

        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        Assert.Equal(Secret, Open(sealedSecret, ("MasterKeyFile", file)));

        var warning = Assert.Single(_log.Lines, static line => line.Level >= LogLevel.Warning);
        Assert.Contains(file, warning.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void It_is_never_printed()
    {
        using var key = MasterKey.Parse(Encoding.ASCII.GetBytes(KeyA))!;

        Assert.Equal("[redacted]", key.ToString());
    }

    [Fact]
    public void What_was_sealed_by_an_earlier_release_opens()
    {
        using var key = MasterKey.Parse(Encoding.ASCII.GetBytes(KeyA))!;
        var sealedSecret = Convert.FromHexString("101112131415161718191A1B1C1D1E1F0D19156357D9D042A55C8B9339A495C5D540922C50F87CBA5FB81CD2E2E27C20D823C6D760964B877227458020CB4432");

        Assert.Equal("golden"u8.ToArray(), key.Open(sealedSecret, MasterKeyXml.Purpose));
        Assert.Null(key.Open(sealedSecret, "another purpose"u8));

        // Stands in every key file.
        Assert.StartsWith(
            "KerberosMessaging.Hosting.Startup.MasterKeyXmlDecryptor, KerberosMessaging.Hosting, ",
            typeof(MasterKeyXmlDecryptor).AssemblyQualifiedName,
            StringComparison.Ordinal);
    }

    private static IDataProtector Protector(IServiceProvider services) =>
        services.GetRequiredService<IDataProtectionProvider>().CreateProtector("test");

    private byte[] Seal(params (string Option, string Value)[] options)
    {
        using var server = Start(options);
        return Protector(server).Protect(Secret);
    }

    private byte[] Open(byte[] sealedSecret, params (string Option, string Value)[] options)
    {
        using var server = Start(options);
        return Protector(server).Unprotect(sealedSecret);
    }

    private void AssertRefused(string line, params (string Option, string Value)[] options)
    {
        var refusal = Assert.Throws<StartupException>(() => Start(options));

        Assert.StartsWith(line, refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refusal.Message);
        Assert.Equal(refusal.Message, ServerProgram.Explain(refusal));
        foreach (var (option, value) in options)
        {
            if (option == "MasterKey" || File.Exists(value))
            {
                var key = option == "MasterKey" ? value : File.ReadAllText(value);
                Assert.True(string.IsNullOrWhiteSpace(key) || !refusal.Message.Contains(key.Trim(), StringComparison.Ordinal));
            }
        }
    }

    private ServiceProvider Start(params (string Option, string Value)[] options)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Production" });
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection();
        builder.Configuration["Data:Directory"] = Data;
        foreach (var (option, value) in options)
        {
            builder.Configuration[$"Data:{option}"] = value;
        }

        builder.Logging.ClearProviders().AddProvider(_log).SetMinimumLevel(LogLevel.Trace);
        builder.AddDataDirectory("server");
        return builder.Services.BuildServiceProvider();
    }

    private string KeyFile(string text) =>
        _folder.Write($"{Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16]}.key", text);

    private IEnumerable<string> KeyFiles() => Directory.EnumerateFiles(Path.Combine(Data, "keys"), "*.xml").Order();

    private Dictionary<string, string> Snapshot() => Directory.EnumerateFiles(Data, "*", SearchOption.AllDirectories)
        .ToDictionary(static path => path, static path => Convert.ToHexString(File.ReadAllBytes(path)));
}
