using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using KerberosMessaging.Benchmarks.Servers;

namespace KerberosMessaging.Benchmarks.Relay;

/// <summary>The results of the <c>relay</c> benchmark. What does not belong to its workload is null.</summary>
/// <param name="Options">What was asked for.</param>
/// <param name="ResidentBytes">The message server's memory at the end.</param>
internal sealed record RelayReport(RelayOptions Options, long ResidentBytes)
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public PhaseResult? Online { get; init; }

    public PhaseResult? Store { get; init; }

    public PhaseResult? Drain { get; init; }

    public double? BytesPerConnection { get; init; }

    /// <summary>Messages that were sent and never arrived.</summary>
    public long Lost { get; private init; }

    /// <summary>Messages that arrived twice.</summary>
    public long Duplicated { get; private init; }

    /// <summary>Messages that arrived after later ones.</summary>
    public long OutOfOrder { get; private init; }

    /// <summary>Whether the server did what it promises, without which its speed is nothing.</summary>
    public bool IsSound => Lost == 0 && Duplicated == 0 && OutOfOrder == 0;

    private LatencyHistogram Delivery { get; } = new();

    private LatencyHistogram Acceptance { get; } = new();

    private PhaseResult? All => Online ?? (Store is not null && Drain is not null ? Store + Drain : null);

    /// <summary>A report with what senders and recipients saw.</summary>
    public static RelayReport Of(RelayOptions options, RelayPairs pairs, long residentBytes)
    {
        var report = new RelayReport(options, residentBytes)
        {
            Lost = pairs.Missing,
            Duplicated = pairs.Recipients.Sum(static recipient => recipient.Tally.Duplicated),
            OutOfOrder = pairs.Recipients.Sum(static recipient => recipient.Tally.OutOfOrder),
        };
        foreach (var recipient in pairs.Recipients)
        {
            report.Delivery.Add(recipient.Latency);
        }

        foreach (var sender in pairs.Senders)
        {
            report.Acceptance.Add(sender.AcceptedLatency);
        }

        return report;
    }

    public void Print(TextWriter output)
    {
        output.WriteLine($"{Machine.CpuModel}, {Machine.Cpus} CPUs, {(CpuPinning.IsShared ? "ONE CPU for servers and load: rates are not comparable" : "one for the servers, one for the load")}");
        output.WriteLine();
        if (All is not null)
        {
            output.WriteLine("            messages       1/s   server CPU   load CPU   written   server   load");
            output.WriteLine("                                    µs each    µs each    B each     busy   busy");
            Row("online", Online);
            Row("store", Store);
            Row("drain", Drain);
            output.WriteLine();
            output.WriteLine("µs              p50       p99     p99.9");
            Times("accepted", Acceptance);
            Times("delivered", Delivery);
            output.WriteLine();
            Line($"lost {Lost}, duplicated {Duplicated}, out of order {OutOfOrder}; {Stamp.EnvelopeSize}-byte envelopes; {Options.Connections} pairs; {Options.Waiting} waiting for others; offender: {Options.Offence}");
        }

        if (BytesPerConnection is { } bytes)
        {
            Line($"{Options.Connections} idle connections, {bytes:F0} bytes each");
        }

        Line($"message server's memory {ResidentBytes >> 20} MiB");

        void Row(string name, PhaseResult? phase)
        {
            if (phase is not null)
            {
                Line($"{name,-9} {phase.Messages,10} {phase.PerSecond,9:F0} {phase.ServerMicroseconds,12:F1} {phase.LoadMicroseconds,10:F1} {phase.WrittenPerMessage,9:F0} {phase.ServerBusy,8:P0} {phase.LoadBusy,6:P0}");
            }
        }

        void Times(string name, LatencyHistogram times)
        {
            if (times.Count > 0)
            {
                Line($"{name,-9} {times.Percentile(0.5),9:F0} {times.Percentile(0.99),9:F0} {times.Percentile(0.999),9:F0}");
            }
        }

        void Line(FormattableString text) => output.WriteLine(text.ToString(CultureInfo.InvariantCulture));
    }

    public string ToJson() => new JsonObject
    {
        ["workload"] = Options.Workload.ToString(),
        ["msg_per_s"] = Round(Online?.PerSecond),
        ["server_us_per_msg"] = Round(All?.ServerMicroseconds, 2),
        ["load_us_per_msg"] = Round(All?.LoadMicroseconds, 2),
        ["p50_us"] = Round(Delivery.Percentile(0.5)),
        ["p99_us"] = Round(Delivery.Percentile(0.99)),
        ["p999_us"] = Round(Delivery.Percentile(0.999)),
        ["accepted_p50_us"] = Round(Acceptance.Percentile(0.5)),
        ["accepted_p99_us"] = Round(Acceptance.Percentile(0.99)),
        ["write_bytes_per_msg"] = Round(All?.WrittenPerMessage),
        ["rss_mib"] = Round(ResidentBytes / (1024.0 * 1024)),
        ["bytes_per_connection"] = Round(BytesPerConnection, 0),
        ["store_per_s"] = Round(Store?.PerSecond),
        ["store_us_per_msg"] = Round(Store?.ServerMicroseconds, 2),
        ["drain_per_s"] = Round(Drain?.PerSecond),
        ["drain_us_per_msg"] = Round(Drain?.ServerMicroseconds, 2),
        ["lost"] = All is null ? null : Lost,
        ["duplicated"] = All is null ? null : Duplicated,
        ["out_of_order"] = All is null ? null : OutOfOrder,
        ["server_busy"] = Round(All?.ServerBusy, 2),
        ["load_busy"] = Round(All?.LoadBusy, 2),
        ["cpu_model"] = Machine.CpuModel,
        ["cores"] = Machine.Cpus,
        ["shared_cpu"] = CpuPinning.IsShared,
        ["seconds"] = Round(All?.Elapsed.TotalSeconds),
        ["messages"] = All?.Messages,
        ["connections"] = Options.Connections,
        ["rate"] = Options.Rate == 0 ? null : Options.Rate,
        ["waiting"] = Options.Waiting,
        ["offender"] = Options.Offence == Offence.None ? null : Options.Offence.ToString(),
        ["envelope_bytes"] = Stamp.EnvelopeSize,
        ["runtime"] = Environment.Version.ToString(),
    }.ToJsonString(Indented);

    private static double? Round(double? value, int digits = 1) => value is { } number ? Math.Round(number, digits) : null;
}
