using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using KerberosMessaging.Benchmarks.Servers;

namespace KerberosMessaging.Benchmarks.Auth;

/// <summary>The results of the <c>auth</c> benchmark, beside what they are measured against.</summary>
internal sealed record AuthReport(
    AuthOptions Options,
    LoadResult Handshakes,
    LoadResult Logins,
    LoadResult ServiceTickets,
    LoadResult Presentations,
    long AuthMemoryMiB,
    long MessageMemoryMiB)
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public long Errors => Handshakes.Errors + Logins.Errors + ServiceTickets.Errors + Presentations.Errors;

    public void Print(TextWriter output)
    {
        output.WriteLine($"{Machine.CpuModel}, {Machine.Cpus} CPUs, {(CpuPinning.IsShared ? "ONE CPU for servers and load: rates are not comparable" : "one for the servers, one for the load")}");
        output.WriteLine();
        output.WriteLine("                     server CPU       aim      rate  server   load");
        output.WriteLine("                        µs each   µs each       1/s    busy   busy   errors");
        Row("handshake", Handshakes, "");
        Row("login", Logins, "< 700");
        Row("service ticket", ServiceTickets, "< 140");
        Row("presented ticket", Presentations, "< 350");
        output.WriteLine();
        output.WriteLine("yardstick, MIT krb5 1.20 KDC, µs each: login 479 (SPAKE) or 228 (encrypted timestamp), service ticket 257");
        output.WriteLine("(plain UDP, database writes off; here: a secure channel, OPAQUE, and each login on disk)");

        void Row(string name, LoadResult result, string aim) => output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{name,-18} {result.Microseconds,12:F1} {aim,9} {result.PerSecond,9:F0} {result.ServerBusy,7:P0} {result.LoadBusy,6:P0} {result.Errors,8}"));
    }

    public string ToJson() => new JsonObject
    {
        ["handshake_us"] = Round(Handshakes.Microseconds),
        ["login_us"] = Round(Logins.Microseconds),
        ["tgs_us"] = Round(ServiceTickets.Microseconds),
        ["ap_us"] = Round(Presentations.Microseconds),
        ["handshake_per_s"] = Round(Handshakes.PerSecond),
        ["login_per_s"] = Round(Logins.PerSecond),
        ["tgs_per_s"] = Round(ServiceTickets.PerSecond),
        ["ap_per_s"] = Round(Presentations.PerSecond),
        ["errors"] = Errors,
        ["handshake_server_busy"] = Round(Handshakes.ServerBusy, 2),
        ["login_server_busy"] = Round(Logins.ServerBusy, 2),
        ["tgs_server_busy"] = Round(ServiceTickets.ServerBusy, 2),
        ["ap_server_busy"] = Round(Presentations.ServerBusy, 2),
        ["cpu_model"] = Machine.CpuModel,
        ["cores"] = Machine.Cpus,
        ["shared_cpu"] = CpuPinning.IsShared,
        ["seconds"] = Options.Seconds,
        ["connections"] = Options.Connections,
        ["server_threads"] = ServiceTickets.ServerThreads,
        ["auth_peak_memory_mib"] = AuthMemoryMiB,
        ["message_peak_memory_mib"] = MessageMemoryMiB,
        ["runtime"] = Environment.Version.ToString(),
    }.ToJsonString(Indented);

    private static double Round(double value, int digits = 1) => Math.Round(value, digits);
}
