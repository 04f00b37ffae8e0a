using KerberosMessaging.Hosting.Startup;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Telemetry;

/// <summary>The disk under the data folder.</summary>
internal sealed class DataMetrics
{
    // Databases with their write-ahead logs.
    private const string DatabaseFiles = "*.db*";

    private readonly DirectoryInfo _folder;

    public DataMetrics(ServerTelemetry telemetry, IOptions<DataOptions> data)
    {
        _folder = new DirectoryInfo(Path.GetFullPath(data.Value.Directory));
        telemetry.Meter.CreateObservableGauge(
            "kmsg.disk.free", () => new DriveInfo(_folder.FullName).AvailableFreeSpace, "By", "Free space on the disk of the data folder.");
        telemetry.Meter.CreateObservableGauge(
            "kmsg.database.size",
            () => _folder.EnumerateFiles(DatabaseFiles).Sum(static file => file.Length),
            "By",
            "The database in the data folder, its write-ahead log included.");
    }
}
