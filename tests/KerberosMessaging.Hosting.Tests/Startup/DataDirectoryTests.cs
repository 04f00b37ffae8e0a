using System.Security.Cryptography;
using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.Hosting.Tests.Admin;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Tests.Startup;

public sealed class DataDirectoryTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void It_is_made_for_its_owner_alone()
    {
        var (builder, options) = Add(_folder.File("new"));

        Assert.Equal(_folder.File("new/auth.db"), options.PathOf("auth.db"));
        Assert.Empty(Directory.GetFiles(_folder.File("new/keys"), "*.xml"));
        Assert.NotNull(builder.Services.BuildServiceProvider().GetService<IDataProtectionProvider>());
        if (!OperatingSystem.IsWindows())
        {
            const UnixFileMode ownerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
            Assert.Equal(ownerOnly, File.GetUnixFileMode(_folder.File("new")));
            Assert.Equal(ownerOnly, File.GetUnixFileMode(_folder.File("new/keys")));
        }
    }

    [Fact]
    public void A_folder_that_is_there_keeps_its_mode_and_its_files()
    {
        Directory.CreateDirectory(_folder.File("old"));
        _folder.Write("old/auth.db", "kept");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(_folder.File("old"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead);
        }

        Add(_folder.File("old"));

        Assert.Equal("kept", File.ReadAllText(_folder.File("old/auth.db")));
        if (!OperatingSystem.IsWindows())
        {
            Assert.True(File.GetUnixFileMode(_folder.File("old")).HasFlag(UnixFileMode.GroupRead));
        }
    }

    [Fact]
    public void A_relative_path_becomes_a_full_one() =>
        Assert.True(Path.IsPathFullyQualified(new DataOptions { Directory = "data" }.PathOf("auth.db")));

    [Theory]
    [InlineData("file")]
    [InlineData("file/data")]
    [InlineData("file/data/deeper")]
    public void A_folder_that_cannot_be_made_is_named_in_one_line(string path)
    {
        _folder.Write("file", "not a folder");

        var e = Assert.Throws<StartupException>(() => Add(_folder.File(path)));

        Assert.StartsWith($"the data folder '{_folder.File(path)}' cannot be written: ", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
        Assert.Equal(e.Message, ServerProgram.Explain(e));
    }

    [Fact]
    public void A_folder_whose_keys_cannot_be_written_is_named()
    {
        Directory.CreateDirectory(_folder.File("data"));
        _folder.Write("data/keys", "not a folder");

        var e = Assert.Throws<StartupException>(() => Add(_folder.File("data")));

        Assert.Contains($"'{_folder.File("data")}'", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    public void A_folder_must_be_named(string directory)
    {
        var e = Assert.Throws<OptionsValidationException>(() => Add(directory));

        Assert.Contains("DataOptions.Directory", ServerProgram.Explain(e), StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_sealed_in_a_folder_opens_with_its_keys_and_for_the_same_server_alone()
    {
        var bytes = "a secret"u8.ToArray();
        var sealedBytes = Protector(_folder.File("a"), "server").Protect(bytes);

        Assert.Equal(bytes, Protector(_folder.File("a"), "server").Unprotect(sealedBytes));
        Assert.Throws<CryptographicException>(() => Protector(_folder.File("a"), "other").Unprotect(sealedBytes));
        Assert.Throws<CryptographicException>(() => Protector(_folder.File("b"), "server").Unprotect(sealedBytes));
    }

    private static (WebApplicationBuilder Builder, DataOptions Options) Add(string directory, string name = "server")
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Production" });
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection();
        builder.Configuration["Data:Directory"] = directory;
        builder.Logging.ClearProviders();
        return (builder, builder.AddDataDirectory(name));
    }

    private static IDataProtector Protector(string directory, string name) =>
        Add(directory, name).Builder.Services.BuildServiceProvider().GetRequiredService<IDataProtectionProvider>().CreateProtector("test");
}
