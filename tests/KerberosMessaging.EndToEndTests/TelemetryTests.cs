using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using KerberosMessaging.EndToEndTests.Support;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KerberosMessaging.EndToEndTests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

// The exporter listens to meters by name. Where two servers of a kind run in one process, the end of one ends the figures of the
// other (open-telemetry/opentelemetry-dotnet issue 6412), so no other realm may run beside these tests.
[Collection(nameof(AloneOnTheMachine))]
public sealed partial class TelemetryTests
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 120_000;

    private static readonly string[] Open = ["--Telemetry:OpenMetricsOnLoopback=true"];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = Patience)]
    public async Task The_two_exchanges_of_one_ticket_share_a_trace_over_both_servers()
    {
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name.StartsWith("KerberosMessaging.", StringComparison.Ordinal),
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        await using var realm = await Realm.StartAsync(Cancel);
        await using var alice = await Person.JoinAsync(realm, "alice", Cancel);
        await using var bob = await Person.JoinAsync(realm, "bob", Cancel);
        await alice.Client.SendTextAsync("bob", "hello", Cancel);

        // Other tests run beside this one: only what this realm's connections did counts.
        var sessions = ((HostedServer)realm.Message).Connections.All.Select(static connection => connection.Session.ToString()).ToHashSet();
        Assert.NotEmpty(sessions);
        await Eventually.TrueAsync(() => Requests("PresentTicket").Length > 0 && Requests("SendMessage").Length > 0, Cancel);
        var request = Requests("PresentTicket")[0];
        var ap = Assert.Single(
            spans, span => span.OperationName == TicketTrace.ApExchange && span.Links.Any(link => link.Context.SpanId == request.SpanId));
        var tgs = Assert.Single(spans, span => span.OperationName == TicketTrace.TgsExchange && span.TraceId == ap.TraceId);

        Assert.Equal("KerberosMessaging.AuthServer", tgs.Source.Name);
        Assert.Equal("KerberosMessaging.MessageServer", ap.Source.Name);
        Assert.Equal(tgs.ParentSpanId, ap.ParentSpanId);
        Assert.NotEqual(ap.TraceId, request.TraceId);
        Assert.Contains(spans, static span => span.OperationName == "kmsg.commit");
        Assert.Contains(spans, static span => span.OperationName == "kmsg.realm.connect");
        Assert.DoesNotContain(spans.SelectMany(static span => span.TagObjects), static tag => $"{tag.Value}" is "alice" or "bob");

        Activity[] Requests(string name) =>
        [
            .. spans.Where(span => span.OperationName == name && span.GetTagItem("kmsg.session") is string session && sessions.Contains(session)),
        ];
    }

    [Fact(Timeout = Patience)]
    public async Task Figures_say_what_happened_and_dashboard_and_alerts_name_only_what_there_is()
    {
        await using var realm = await Realm.StartAsync(Cancel, new RealmSetup { Auth = Open, Message = Open });
        await using var alice = await Person.JoinAsync(realm, "alice", Cancel);
        await using var bob = await Person.JoinAsync(realm, "bob", Cancel);
        await using var atBob = Inbox.Open(bob.Client);
        await alice.Client.SendTextAsync("bob", "hello", Cancel);
        Assert.Equal("hello", await atBob.NextTextAsync(Cancel));
        await Trouble.FailToLogInAsync(realm, "alice", Cancel);
        await Trouble.SpeakNonsenseAsync(realm.Auth.Port, Cancel);
        await Trouble.SpeakNonsenseAsync(realm.Message.Port, Cancel);

        // Some figures are looked up beside the scrape that asks for them first.
        var (auth, message) = ("", "");
        await Eventually.TrueAsync(
            async () =>
            {
                auth = await ScrapeAsync(realm.AuthServices);
                message = await ScrapeAsync(realm.MessageServices);
                return auth.Contains("kmsg_sessions_living", StringComparison.Ordinal)
                    && message.Contains("kmsg_blobs", StringComparison.Ordinal)
                    && message.Contains("kmsg_queue_messages", StringComparison.Ordinal)
                    && Value(message, "kmsg_messages_acknowledged_total") >= 1
                    && Value(auth, "kmsg_handshakes_failed_total") >= 1
                    && Value(message, "kmsg_handshakes_failed_total") >= 1;
            },
            Cancel);

        Assert.True(Value(auth, "kmsg_logins_total") >= 2);
        Assert.True(Value(auth, "kmsg_logins_failed_total", "reason=\"wrong_password\"") >= 1);
        Assert.True(Value(auth, "kmsg_tickets_issued_total", "kind=\"service\"") >= 2);
        Assert.True(Value(auth, "kmsg_sessions_living") >= 2);
        Assert.True(Value(message, "kmsg_messages_accepted_total") >= 1);
        Assert.True(Value(message, "kmsg_messages_delivered_total") >= 1);
        Assert.Equal(1, Value(message, "kmsg_realm_link_up"));
        Assert.True(Value(message, "kmsg_disk_free_bytes") > 0);
        Assert.DoesNotContain("kmsg_logins_total", message, StringComparison.Ordinal);
        Assert.DoesNotContain("alice", auth + message, StringComparison.Ordinal);
        Assert.DoesNotContain("127.0.0.1", auth + message, StringComparison.Ordinal);

        var exported = Sample().Matches(auth + message).Select(static match => match.Groups["name"].Value).ToHashSet();
        var deploy = Path.Combine(AppContext.BaseDirectory, "deploy");
        var named = Directory.EnumerateFiles(deploy, "*", SearchOption.AllDirectories)
            .SelectMany(static file => Named().Matches(File.ReadAllText(file)))
            .Select(static match => match.Value)
            .ToHashSet();
        Assert.True(named.Count > 20, $"only {named.Count} figures are named in {deploy}");
        Assert.Empty(named.Except(exported).Order());
    }

    [Fact(Timeout = Patience)]
    public async Task Figures_are_closed_to_whoever_has_no_token()
    {
        await using var realm = await Realm.StartAsync(Cancel, new RealmSetup { Message = Open });

        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(realm.AuthServices, forwardedFor: null));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(realm.MessageServices, forwardedFor: null));

        // A proxy on this machine asks for somebody else.
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(realm.MessageServices, forwardedFor: "192.0.2.7"));
    }

    [Fact(Timeout = Patience)]
    public async Task The_log_has_no_names_and_no_addresses()
    {
        var log = new LogLines();
        string[] all = ["--Logging:LogLevel:Default=Trace", "--Logging:LogLevel:KerberosMessaging=Trace"];
        var setup = new RealmSetup
        {
            Auth = all,

            // Where the operator says that the auth server is may be told.
            Message = [.. all, "--Realm:Host=localhost"],
            Configure = builder => builder.Logging.AddProvider(log),
        };
        await using (var realm = await Realm.StartAsync(Cancel, setup))
        {
            await using var alice = await Person.JoinAsync(realm, "zerafina", Cancel);
            await using var bob = await Person.JoinAsync(realm, "quentin", Cancel);
            await using var atBob = Inbox.Open(bob.Client);
            await alice.Client.SendTextAsync("quentin", "hello", Cancel);
            Assert.Equal("hello", await atBob.NextTextAsync(Cancel));
            await Trouble.FailToLogInAsync(realm, "zerafina", Cancel);
            await Trouble.SpeakNonsenseAsync(realm.Auth.Port, Cancel);
            await Trouble.SpeakNonsenseAsync(realm.Message.Port, Cancel);
            using var http = Http(realm.AuthServices);
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "wrong");
            using var refused = await http.GetAsync(new Uri("admin/v1/clients?search=zerafina", UriKind.Relative), Cancel);
            Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        }

        Assert.Contains("Connected to the auth server", log.Text, StringComparison.Ordinal);
        Assert.Contains("wrong admin token", log.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("zerafina", log.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("quentin", log.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("SSH-2.0", log.Text, StringComparison.Ordinal);
        Assert.Empty(Address().Matches(log.Text).Select(static match => match.Value).Distinct());
    }

    private static HttpClient Http(IServiceProvider server) => new() { BaseAddress = server.GetRequiredService<AdminListener>().Address };

    private static async Task<string> ScrapeAsync(IServiceProvider server)
    {
        using var http = Http(server);
        return await http.GetStringAsync(new Uri("metrics", UriKind.Relative), Cancel);
    }

    private static async Task<HttpStatusCode> StatusAsync(IServiceProvider server, string? forwardedFor)
    {
        using var http = Http(server);
        if (forwardedFor is not null)
        {
            http.DefaultRequestHeaders.Add("X-Forwarded-For", forwardedFor);
        }

        using var response = await http.GetAsync(new Uri("metrics", UriKind.Relative), Cancel);
        return response.StatusCode;
    }

    // The sum of all samples of a name, or of those with a label.
    private static double Value(string scrape, string name, string label = "") => Sample().Matches(scrape)
        .Where(match => match.Groups["name"].Value == name && match.Groups["labels"].Value.Contains(label, StringComparison.Ordinal))
        .Sum(static match => double.Parse(match.Groups["value"].Value, System.Globalization.CultureInfo.InvariantCulture));

    [GeneratedRegex(@"^(?<name>[a-z_]+)(\{(?<labels>[^}]*)\})? (?<value>[-+0-9.eE]+|NaN)", RegexOptions.ExplicitCapture | RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Sample();

    [GeneratedRegex(@"\b(kmsg|dotnet)_[a-z_]+", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Named();

    // Versions in the texts of the framework have four numbers too, but none of the servers' own.
    [GeneratedRegex(@"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b|::1|::ffff:", RegexOptions.CultureInvariant)]
    private static partial Regex Address();
}
