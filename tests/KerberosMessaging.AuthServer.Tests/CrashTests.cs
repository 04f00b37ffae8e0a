using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using CsCheck;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Hosting.Audit;
using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;

namespace KerberosMessaging.AuthServer.Tests;

/// <summary>Whatever was answered before an abrupt end is there after it, and the audit log is whole.</summary>
public sealed partial class CrashTests
{
    private static readonly Gen<Step> AnyStep = Gen.Select(
        Gen.Frequency(
            (4, Gen.Const(Kind.Register)),
            (6, Gen.Const(Kind.Login)),
            (2, Gen.Const(Kind.Logout)),
            (1, Gen.Const(Kind.LogoutEverywhere)),
            (5, Gen.Const(Kind.Fail)),
            (2, Gen.Const(Kind.ChangePassword)),
            (1, Gen.Const(Kind.RemoveDevice)),
            (2, Gen.Const(Kind.RotateKey)),
            (2, Gen.Const(Kind.Crash))),
        Gen.Int[0, 1000]).Select(static (kind, number) => new Step(kind, number));

    private enum Kind
    {
        Register,
        Login,
        Logout,
        LogoutEverywhere,
        Fail,
        ChangePassword,
        RemoveDevice,
        RotateKey,
        Crash,
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("0N0XIzNsQ0O2")]
    [InlineData("0N0YIzNsQ0O2")]
    [InlineData("0N0XIzMsQ0O2")]
    public Task After_any_steps_and_any_abrupt_ends_everything_is_as_it_was_answered(string seed) => AnyStep.Array[24].SampleAsync(
        static async steps =>
        {
            await using var run = await ModelRun.StartAsync();
            foreach (var step in steps)
            {
                await run.DoAsync(step);
            }

            await run.CrashAsync();
        },
        seed: seed,
        iter: 1,
        threads: 1,
        print: static steps => string.Join(", ", steps));

    [Fact]
    public async Task What_was_answered_before_kill_9_is_there_after_it()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no SIGKILL.");
        await using var server = await TestServer.StartAsync();
        var realm = server.Keys.Realm.PublicKey.ToArray();
        var accounts = Enumerable.Range(0, 4).Select(static i => new QuickAccount($"client-{i}")).ToList();
        foreach (var account in accounts)
        {
            await using var client = await server.ConnectAsync();
            await account.RegisterAsync(client);
        }

        var answered = new List<(QuickAccount Account, TestTicket Ticket, bool IsLoggedOut)>();
        for (var round = 0; round < 2; round++)
        {
            await server.StopAsync();
            answered.AddRange(await WorkUntilKilledAsync(server, realm, accounts));
            server.Time.AdjustTime(DateTimeOffset.UtcNow);
            await Eventually.TrueAsync(() => TryStartAsync(server));

            Assert.Null((await server.VerifyAuditAsync()).BrokenAt);
            foreach (var (_, ticket, isLoggedOut) in answered)
            {
                Assert.Equal(isLoggedOut ? (ProtocolError?)ProtocolError.TicketRefused : null, await server.TryPresentAsync(ticket));
            }
        }

        Assert.True(answered.Count >= 2 * accounts.Count);
    }

    // The killed program lets go of the folder's lock a moment after it has let go of its connections.
    private static async Task<bool> TryStartAsync(TestServer server)
    {
        try
        {
            await server.StartAgainAsync();
            return true;
        }
        catch (StartupException)
        {
            return false;
        }
    }

    // Four clients log in and every second time out again, as fast as they can, until the server is no more.
    private static async Task<List<(QuickAccount Account, TestTicket Ticket, bool IsLoggedOut)>> WorkUntilKilledAsync(
        TestServer server, byte[] realm, List<QuickAccount> accounts)
    {
        var answered = new List<(QuickAccount, TestTicket, bool)>();
        var enough = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task working;
        using (var process = new ServerProcess(
            $"--Data:Directory={server.Folder.File("data")}", "--Wire:Address=127.0.0.1", "--Wire:Port=0", "--Admin:Port=0"))
        {
            Match banner;
            while (!(banner = BannerFormat().Match(await process.ReadLineAsync())).Success)
            {
                // The fingerprint, and an admin token.
            }

            var port = int.Parse(banner.Groups[1].Value, CultureInfo.InvariantCulture);
            working = Task.WhenAll(accounts.Select(account => Task.Run(() => WorkAsync(account, port))));
            await Wait.ForAsync(enough.Task);
        }

        await Wait.ForAsync(working);
        return answered;

        async Task WorkAsync(QuickAccount account, int port)
        {
            try
            {
                for (var i = 0; ; i++)
                {
                    await using var client = await TestClient.ConnectAsync(port, realm);
                    var ticket = await account.LoginAsync(client);
                    var isLoggedOut = i % 2 == 1;
                    if (isLoggedOut)
                    {
                        // Where the answer does not come, nobody knows whether it was done.
                        await client.RequestAsync<Done>(new LogoutRequest(Everywhere: false));
                    }

                    lock (answered)
                    {
                        answered.Add((account, ticket, isLoggedOut));
                        if (answered.Count >= 40)
                        {
                            enough.TrySetResult();
                        }
                    }
                }
            }
            catch (ChannelException)
            {
                // The server is no more.
            }
        }
    }

    [GeneratedRegex(@"clients connect to 127\.0\.0\.1:(\d+)")]
    private static partial Regex BannerFormat();

    private readonly record struct Step(Kind Kind, int Number);

    /// <summary>A server, and what it has answered so far.</summary>
    private sealed class ModelRun : IAsyncDisposable
    {
        private static readonly RealmKeyPurpose[] Rotated = [RealmKeyPurpose.Ticket, RealmKeyPurpose.TicketSigning, RealmKeyPurpose.OprfSeed];

        private readonly TestServer _server;
        private readonly List<QuickAccount> _accounts = [];
        private readonly List<HeldTicket> _tickets = [];
        private readonly Dictionary<string, int> _failures = [];
        private readonly Dictionary<RealmKeyPurpose, uint> _versions = Rotated.ToDictionary(static purpose => purpose, static _ => 1u);
        private readonly List<QuickAccount> _bystanders = [];

        private ModelRun(TestServer server) => _server = server;

        public static async Task<ModelRun> StartAsync()
        {
            var run = new ModelRun(await TestServer.StartAsync());
            await using var client = await run._server.ConnectAsync();
            for (var i = 0; i < 4; i++)
            {
                var bystander = new QuickAccount($"bystander.{i}");
                await bystander.RegisterAsync(client);
                run._bystanders.Add(bystander);
            }

            return run;
        }

        public async Task DoAsync(Step step)
        {
            PassTime();
            var account = _accounts.Count == 0 ? null : _accounts[step.Number % _accounts.Count];
            var ticket = _tickets.Where(ticket => IsGood(ticket) && _accounts.Contains(ticket.Account)).ElementAtOrDefault(step.Number % 5);
            switch (step.Kind)
            {
                case Kind.Register:
                    await using (var client = await _server.ConnectAsync())
                    {
                        var added = new QuickAccount($"client.{(char)('a' + _accounts.Count)}{_accounts.Count}");
                        await added.RegisterAsync(client);
                        _accounts.Add(added);
                    }

                    break;
                case Kind.Login when account is not null:
                    await LogInAsync(account);
                    break;
                case Kind.Logout when ticket is not null:
                    await using (var client = await _server.PresentAsync(ticket.Ticket))
                    {
                        await client.RequestAsync<Done>(new LogoutRequest(Everywhere: false));
                        ticket.IsEnded = true;
                    }

                    break;
                case Kind.LogoutEverywhere when ticket is not null:
                    await using (var client = await _server.PresentAsync(ticket.Ticket))
                    {
                        await client.RequestAsync<Done>(new LogoutRequest(Everywhere: true));
                        _tickets.Where(other => other.Account == ticket.Account).ToList().ForEach(static other => other.IsEnded = true);
                    }

                    break;
                case Kind.Fail:
                    var name = account is null || step.Number % 3 == 0 ? "nobody" : account.Name;
                    Assert.Equal(Answer.Failed, await Guess.FailAsync(_server, name));
                    _failures[name] = _failures.GetValueOrDefault(name) + 1;
                    break;
                case Kind.ChangePassword when ticket is not null:
                    await using (var client = await _server.PresentAsync(ticket.Ticket))
                    {
                        await PasswordChange.DoAsync(client, ticket.Account, $"password {step.Number}");
                        _failures.Remove(ticket.Account.Name);
                    }

                    break;
                case Kind.RemoveDevice when ticket is not null:
                    await using (var client = await _server.PresentAsync(ticket.Ticket))
                    {
                        await client.RequestAsync<Done>(new RemoveDeviceRequest(ticket.Device.Id));
                        _tickets.Where(other => other.Device == ticket.Device).ToList().ForEach(static other => other.IsEnded = true);
                    }

                    break;
                case Kind.RotateKey:
                    var purpose = Rotated[step.Number % Rotated.Length];
                    Assert.Equal(++_versions[purpose], await _server.RotateAsync(purpose));
                    break;
                case Kind.Crash:
                    await CrashAsync();
                    break;
            }
        }

        /// <summary>Ends the server while clients are busy, without a word to them, and looks at what is left.</summary>
        public async Task CrashAsync()
        {
            PassTime();
            var before = (await _server.SessionsAsync()).Count;
            var busy = _bystanders.Select(bystander => Task.Run(async () =>
            {
                var answered = new List<TestTicket>();
                try
                {
                    while (true)
                    {
                        await using var client = await _server.ConnectAsync();
                        answered.Add(await bystander.LoginAsync(client));
                    }
                }
                catch (Exception e) when (e is ChannelException or RequestRefusedException or ObjectDisposedException)
                {
                    return answered;
                }
            })).ToList();
            await Eventually.TrueAsync(async () => (await _server.SessionsAsync()).Count > before + 4);
            await _server.App.DisposeAsync();
            var answered = await Wait.ForAsync(Task.WhenAll(busy));
            await _server.StartAgainAsync();
            for (var i = 0; i < _bystanders.Count; i++)
            {
                _tickets.AddRange(answered[i].Take(3).Select(ticket => new HeldTicket(_bystanders[i], _bystanders[i].Device, ticket)));
            }

            await AssertAsAnsweredAsync();
        }

        public ValueTask DisposeAsync() => _server.DisposeAsync();

        // Longer than any wait for failed logins.
        private void PassTime() => _server.Time.AdjustTime(_server.Time.GetUtcNow().AddMinutes(20));

        private bool IsGood(HeldTicket ticket) => !ticket.IsEnded && _server.Time.GetUtcNow() < ticket.Ticket.Part.Times.EndsAt;

        private async Task LogInAsync(QuickAccount account)
        {
            await using var client = await _server.ConnectAsync();
            var device = new TestDevice();
            _tickets.Add(new HeldTicket(account, device, await account.LoginAsync(client, device)));
            _failures.Remove(account.Name);
        }

        private async Task AssertAsAnsweredAsync()
        {
            Assert.Null((await _server.VerifyAuditAsync()).BrokenAt);
            Assert.Equal(
                (_versions[RealmKeyPurpose.Ticket], _versions[RealmKeyPurpose.TicketSigning], _versions[RealmKeyPurpose.OprfSeed]),
                (_server.Keys.TicketKey.Version, _server.Keys.TicketSigningVersion, _server.Keys.OpaqueVersion));
            Assert.Equal(
                _accounts.Concat(_bystanders).Select(static account => account.Client.Value).Order(),
                (await _server.ClientsAsync()).Select(static row => row.Id).Order());
            Assert.Equal(_accounts.Count + _bystanders.Count, (await _server.AuditAsync(AuditKind.ClientRegistered)).Count);

            await _server.FlushAsync();
            var counted = (await _server.FailuresAsync()).ToDictionary(static row => Convert.ToHexString(row.NameHash), static row => row.Failures);
            foreach (var name in _accounts.Select(static account => account.Name).Append("nobody"))
            {
                var hash = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(name)));
                Assert.Equal(_failures.GetValueOrDefault(name), counted.GetValueOrDefault(hash));
            }

            foreach (var ticket in _tickets)
            {
                Assert.Equal(IsGood(ticket) ? null : (ProtocolError?)ProtocolError.TicketRefused, await _server.TryPresentAsync(ticket.Ticket));
            }

            foreach (var account in _accounts)
            {
                await LogInAsync(account);
            }
        }

        private sealed class HeldTicket(QuickAccount account, TestDevice device, TestTicket ticket)
        {
            public QuickAccount Account => account;

            public TestDevice Device => device;

            public TestTicket Ticket => ticket;

            public bool IsEnded { get; set; }
        }
    }
}
