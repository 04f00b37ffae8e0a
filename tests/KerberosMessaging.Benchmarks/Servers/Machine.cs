namespace KerberosMessaging.Benchmarks.Servers;

/// <summary>What the results were measured on.</summary>
internal static class Machine
{
    public static string CpuModel { get; } = File.ReadLines("/proc/cpuinfo")
        .FirstOrDefault(static line => line.StartsWith("model name", StringComparison.Ordinal)) is { } line
            ? line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim()
            : "unknown CPU";

    // Before this process was pinned: the runtime asks once, at its start.
    public static int Cpus => Environment.ProcessorCount;
}
