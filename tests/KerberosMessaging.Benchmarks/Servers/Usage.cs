using System.Diagnostics;

namespace KerberosMessaging.Benchmarks.Servers;

/// <summary>What a server and the load have used up to one moment.</summary>
internal sealed class Usage
{
    private static readonly CpuClock Own = new(Environment.ProcessId);

    private readonly ServerProcess _server;
    private readonly long _at;
    private readonly TimeSpan _serverCpu;
    private readonly TimeSpan _loadCpu;
    private readonly long _written;

    private Usage(ServerProcess server)
    {
        _server = server;
        _written = server.WrittenBytes;
        _serverCpu = server.Clock.Read();
        _loadCpu = Own.Read();
        _at = Stopwatch.GetTimestamp();
    }

    /// <summary>Reads it now.</summary>
    public static Usage Of(ServerProcess server) => new(server);

    /// <summary>What was used since then for a number of messages.</summary>
    public PhaseResult Since(long messages)
    {
        var now = new Usage(_server);
        return new PhaseResult(
            messages,
            Stopwatch.GetElapsedTime(_at, now._at),
            now._serverCpu - _serverCpu,
            now._loadCpu - _loadCpu,
            now._written - _written);
    }
}

/// <summary>What one measured part of a benchmark cost.</summary>
/// <param name="Messages">How many messages it moved.</param>
/// <param name="Elapsed">How long it took.</param>
/// <param name="ServerCpu">The server's CPU time in it.</param>
/// <param name="LoadCpu">The load's own CPU time in it.</param>
/// <param name="WrittenBytes">What the server had the kernel write to disks in it.</param>
internal sealed record PhaseResult(long Messages, TimeSpan Elapsed, TimeSpan ServerCpu, TimeSpan LoadCpu, long WrittenBytes)
{
    /// <summary>Messages a second.</summary>
    public double PerSecond => Messages / Elapsed.TotalSeconds;

    /// <summary>CPU time of the server for one message, in microseconds.</summary>
    public double ServerMicroseconds => ServerCpu.TotalMicroseconds / Math.Max(1, Messages);

    /// <summary>CPU time of the load for one message, in microseconds.</summary>
    public double LoadMicroseconds => LoadCpu.TotalMicroseconds / Math.Max(1, Messages);

    /// <summary>Bytes that the server had written for one message.</summary>
    public double WrittenPerMessage => (double)WrittenBytes / Math.Max(1, Messages);

    /// <summary>The part of the time that the server was running, 0 to 1. Where it is not near 1, disk or load was the limit.</summary>
    public double ServerBusy => ServerCpu / Elapsed;

    /// <summary>The part of the time that the load was running, 0 to 1.</summary>
    public double LoadBusy => LoadCpu / Elapsed;

    /// <summary>Two parts as one.</summary>
    public static PhaseResult operator +(PhaseResult one, PhaseResult other) => new(
        one.Messages + other.Messages,
        one.Elapsed + other.Elapsed,
        one.ServerCpu + other.ServerCpu,
        one.LoadCpu + other.LoadCpu,
        one.WrittenBytes + other.WrittenBytes);
}
