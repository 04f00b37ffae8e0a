using System.Text.Json;
using KerberosMessaging.EndToEndTests.Support;

namespace KerberosMessaging.EndToEndTests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>What is in <c>deploy</c> for Prometheus and Grafana, tried with a real Prometheus.</summary>
// The exporter listens to meters by name. Where two servers of a kind run in one process, the end of one ends the figures of the
// other (open-telemetry/opentelemetry-dotnet issue 6412), so no other realm may run beside these tests.
[Collection(nameof(AloneOnTheMachine))]
public sealed class PrometheusTests
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 300_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = Patience)]
    public async Task It_finds_both_servers_fills_every_panel_of_the_dashboard_and_judges_every_alert()
    {
        await using var admin = await AdminRealm.StartAsync(Cancel);
        var realm = admin.Realm;
        await using var prometheus = await Prometheus.StartAsync(admin, Cancel);
        await using var alice = await Person.JoinAsync(realm, "alice", Cancel);
        await using var bob = await Person.JoinAsync(realm, "bob", Cancel);
        await using var atBob = Inbox.Open(bob.Client);
        await alice.Client.SendTextAsync("bob", "hello", Cancel);
        Assert.Equal("hello", await atBob.NextTextAsync(Cancel));
        await Trouble.FailToLogInAsync(realm, "alice", Cancel);
        await Trouble.SpeakNonsenseAsync(realm.Auth.Port, Cancel);
        await Trouble.SpeakNonsenseAsync(realm.Message.Port, Cancel);

        // A rate is known after two looks at a figure that there is, and some figures are there after the first that was written down.
        var waiting = Panels().ToList();
        Assert.True(waiting.Count > 30, $"the dashboard has only {waiting.Count} queries");
        await Eventually.TrueAsync(
            async () =>
            {
                foreach (var panel in waiting.ToArray())
                {
                    if ((await prometheus.QueryAsync(panel.Expression, Cancel)).Length > 0)
                    {
                        waiting.Remove(panel);
                    }
                }

                TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", waiting));
                return waiting.Count == 0;
            },
            Cancel);

        await Eventually.TrueAsync(
            async () => (await prometheus.RulesAsync(Cancel)).All(static rule => Text(rule, "health") != "unknown"), Cancel);
        var rules = await prometheus.RulesAsync(Cancel);
        Assert.NotEmpty(rules);
        Assert.All(rules, static rule => Assert.Equal("ok", Text(rule, "health")));
        Assert.Equal("inactive", State(rules, "ServerDown"));
        Assert.Equal("inactive", State(rules, "AuthServerNotReached"));

        // What alerts are for.
        await realm.Auth.StopAsync(Cancel);
        await Eventually.TrueAsync(
            async () =>
            {
                var now = await prometheus.RulesAsync(Cancel);
                return State(now, "ServerDown") == "pending" && State(now, "AuthServerNotReached") == "pending";
            },
            Cancel);
    }

    private static IEnumerable<(string Title, string Expression)> Panels()
    {
        var file = Path.Combine(AppContext.BaseDirectory, "deploy", "kerberos-messaging.json");
        using var dashboard = JsonDocument.Parse(File.ReadAllText(file));
        foreach (var panel in dashboard.RootElement.GetProperty("panels").EnumerateArray())
        {
            // Rows are panels too, and ask nothing.
            if (panel.TryGetProperty("targets", out var targets))
            {
                foreach (var target in targets.EnumerateArray())
                {
                    yield return (Text(panel, "title"), Text(target, "expr"));
                }
            }
        }
    }

    private static string State(JsonElement[] rules, string name) => Text(Assert.Single(rules, rule => Text(rule, "name") == name), "state");

    private static string Text(JsonElement element, string property) => element.GetProperty(property).GetString()!;
}
