using System.Diagnostics;
using System.Globalization;
using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.MessageServer.Tests.Wire;

/// <summary>The server as a process of its own, so that it can be killed.</summary>
public sealed class KillTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly TestRealm _realm = new();
    private readonly TestDevice _alice = TestDevice.Of("alice");
    private readonly TestDevice _bob = TestDevice.Of("bob");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _realm.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_kill_right_after_the_answer_loses_nothing()
    {
        await _realm.EnrolAsync(_folder.FullName);
        var answered = new List<MessageId>();
        var (server, port) = await StartAsync();
        try
        {
            await (await SignInAsync(_bob, port)).DisposeAsync();
            for (var round = 0; round < 3; round++)
            {
                await using (var alice = await SignInAsync(_alice, port))
                {
                    for (var i = 0; i <= round; i++)
                    {
                        var message = TestClient.Message(_bob);
                        await alice.Connection.RequestAsync<MessageAccepted>(message, Cancellation);
                        answered.Add(message.Message);
                    }

                    // SIGKILL.
                    server.Kill();
                    await server.WaitForExitAsync(Cancellation);
                    server.Dispose();
                }

                (server, port) = await StartAsync();
            }

            await using var bob = await SignInAsync(_bob, port);
            await bob.GrantAsync(1000, Cancellation);
            var deliveries = await bob.NextDeliveriesAsync(answered.Count, Cancellation);
            Assert.Equal(answered, deliveries.Select(static delivery => delivery.Message));
            var sequences = deliveries.Select(static delivery => delivery.Sequence).ToArray();
            Assert.Equal(sequences.Distinct().Order(), sequences);
        }
        finally
        {
            server.Kill();
            server.Dispose();
        }
    }

    private async Task<TestClient> SignInAsync(TestDevice device, int port)
    {
        var client = await TestClient.ConnectAsync(port, _realm.ServerKey.PublicKey, Cancellation);
        await _realm.Issue(device, DateTimeOffset.UtcNow).PresentAsync(client.Connection, Cancellation);
        return client;
    }

    private async Task<(Process Server, int Port)> StartAsync()
    {
        var server = Process.Start(new ProcessStartInfo("dotnet")
        {
            ArgumentList =
            {
                typeof(MessageServerApp).Assembly.Location,
                $"--Data:Directory={_folder.FullName}",
                "--Wire:Address=127.0.0.1",
                "--Wire:Port=0",
                "--Admin:Port=0",
            },
            RedirectStandardOutput = true,
        })!;
        try
        {
            const string Banner = "clients connect to 127.0.0.1:";
            while (await server.StandardOutput.ReadLineAsync(Cancellation) is { } line)
            {
                if (line.IndexOf(Banner, StringComparison.Ordinal) is >= 0 and var at)
                {
                    var port = line[(at + Banner.Length)..line.IndexOf(',', at)];
                    return (server, int.Parse(port, CultureInfo.InvariantCulture));
                }
            }

            throw new InvalidOperationException("The server did not start.");
        }
        catch
        {
            server.Kill();
            server.Dispose();
            throw;
        }
    }
}
