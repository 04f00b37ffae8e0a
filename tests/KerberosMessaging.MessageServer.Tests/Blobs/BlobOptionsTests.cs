using System.Globalization;
using KerberosMessaging.MessageServer.Domain.Blobs;
using KerberosMessaging.MessageServer.Tests.Support;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.MessageServer.Tests.Blobs;

public sealed class BlobOptionsTests
{
    [Fact]
    public void The_options_are_those_of_the_table_in_the_operations_document()
    {
        var defaults = new BlobOptions();
        var options = typeof(BlobOptions).GetProperties().Select(property => (
            $"`{BlobOptions.SectionName}:{property.Name}`",
            Convert.ToString(property.GetValue(defaults), CultureInfo.InvariantCulture)!));
        var rows = File.ReadLines(Document())
            .Where(static line => line.StartsWith($"| `{BlobOptions.SectionName}:", StringComparison.Ordinal))
            .Select(static line => line.Split('|'))
            .Select(static cells => (cells[1].Trim(), cells[2].Trim()));

        Assert.Equal(options, rows);
    }

    [Theory]
    [InlineData("--Blobs:MaxBytes=0", "MaxBytes")]
    [InlineData("--Blobs:MaxBytesPerClient=268435455", "MaxBytesPerClient")]
    [InlineData("--Blobs:MaxStoreBytes=268435455", "MaxStoreBytes")]
    [InlineData("--Blobs:MinimumFreeDiskBytes=-1", "MinimumFreeDiskBytes")]
    [InlineData("--Blobs:TimeToLiveSeconds=2592001", "TimeToLiveSeconds")]
    [InlineData("--Blobs:UploadTimeToLiveSeconds=59", "UploadTimeToLiveSeconds")]
    public async Task Wrong_values_stop_the_start_and_are_named(string argument, string field)
    {
        var e = await Assert.ThrowsAsync<OptionsValidationException>(() => TestServer.StartAsync(time: null, argument));
        Assert.Contains(field, e.Message, StringComparison.Ordinal);
    }

    private static string Document()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "KerberosMessaging.sln")))
        {
            folder = folder.Parent;
        }

        Assert.NotNull(folder);
        return Path.Combine(folder.FullName, "docs", "operations.md");
    }
}
