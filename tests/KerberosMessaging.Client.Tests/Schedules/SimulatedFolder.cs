namespace KerberosMessaging.Client.Tests.Schedules;

/// <summary>Folders in memory, where there is such a thing: thousands of stores that wait for a disk take minutes.</summary>
internal static class SimulatedFolder
{
    private const string InMemory = "/dev/shm";

    public static string Create()
    {
        var parent = Directory.Exists(InMemory) ? InMemory : Path.GetTempPath();
        return Directory.CreateDirectory(Path.Combine(parent, $"kmsg-schedules-{Guid.NewGuid():N}")).FullName;
    }
}
