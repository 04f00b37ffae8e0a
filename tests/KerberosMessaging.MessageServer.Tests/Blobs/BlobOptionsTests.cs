using KerberosMessaging.MessageServer.Domain.Blobs;
using KerberosMessaging.MessageServer.Tests.Support;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.MessageServer.Tests.Blobs;

public sealed class BlobOptionsTests
{
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
}
