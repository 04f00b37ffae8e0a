using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Tests;

public sealed class RegistrationTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private TestClient _client = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        _client = await _server.ConnectAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_registered_client_is_stored_with_the_stretching_that_was_asked_for()
    {
        var registered = await _client.RegisterAsync(new TestAccount("Ａlice"));

        var row = Assert.Single(await ClientsAsync());
        Assert.Equal(registered.Client.Value, row.Id);
        Assert.Equal(("Alice", "alice"), (row.Name, row.NameKey));
        Assert.Equal(_server.Time.GetUtcNow(), row.CreatedAt);
        Assert.Equal(
            StretchingParameters.Default,
            new StretchingParameters(row.StretchingAlgorithm, row.StretchingIterations, row.StretchingMemoryKiB));
        Assert.Null(row.HomeServerId);
    }

    [Theory]
    [InlineData("alice")]
    [InlineData("Alice")]
    [InlineData("ALICE")]
    [InlineData("ＡＬＩＣＥ")]
    public async Task A_taken_name_is_refused_in_every_form_at_both_steps(string name)
    {
        // The second step comes on a channel whose first step was before the name was taken.
        await using var late = await _server.ConnectAsync();
        await late.RequestAsync<RegistrationChallenge>(Start(name));
        await SampleRecord.RegisterAsync(_client, "Alice");

        Assert.Equal(RegistrationRefusal.NameTaken, await _client.RegistrationRefusalAsync(Start(name)));
        Assert.Equal(RegistrationRefusal.NameTaken, await late.RegistrationRefusalAsync(Finish(name)));

        Assert.Single(await ClientsAsync());
    }

    [Fact]
    public async Task A_name_that_breaks_the_rules_is_refused_and_the_connection_goes_on()
    {
        foreach (var name in new[] { "", " ", "a b", ".alice", "alice@realm", "a\0", "a\u202Eb", "a\uFFFE", "\u3300\u3300\u3300\u3300\u3300\u3300" })
        {
            Assert.Equal(RegistrationRefusal.NameInvalid, await _client.RegistrationRefusalAsync(Start(name)));
        }

        await SampleRecord.RegisterAsync(_client, "alice");
        Assert.Empty(_server.Log.Errors);
    }

    [Fact]
    public async Task Of_64_that_register_one_name_at_once_one_succeeds()
    {
        var clients = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => _server.ConnectAsync()));
        await Task.WhenAll(clients.Select(static client => client.RequestAsync<RegistrationChallenge>(Start("Alice"))));

        // The server cannot know whose record it is: one serves for all.
        var finish = Finish("Alice");
        var replies = await Task.WhenAll(clients.Select(client => client.RequestAsync(finish)));

        var registered = Assert.Single(replies, static reply => reply.Code == MessageCode.ClientRegistered);
        Assert.All(
            replies.Where(reply => reply != registered),
            static reply => Assert.Equal(RegistrationRefusal.NameTaken, reply.As<RegistrationRefused>()?.Reason));
        Assert.Equal(registered.As<ClientRegistered>()!.Client.Value, Assert.Single(await ClientsAsync()).Id);
        Assert.Empty(_server.Log.Errors);
        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_second_step_without_a_first_is_refused() =>
        Assert.Equal(RegistrationRefusal.RecordRefused, await _client.RegistrationRefusalAsync(Finish("alice")));

    [Fact]
    public async Task A_second_step_under_another_name_is_refused()
    {
        await _client.RequestAsync<RegistrationChallenge>(Start("alice"));

        Assert.Equal(RegistrationRefusal.RecordRefused, await _client.RegistrationRefusalAsync(Finish("bob")));
        Assert.Empty(await ClientsAsync());
    }

    [Fact]
    public async Task A_first_step_serves_one_second_step()
    {
        await SampleRecord.RegisterAsync(_client, "alice");

        Assert.Equal(RegistrationRefusal.RecordRefused, await _client.RegistrationRefusalAsync(Finish("alice")));
    }

    [Fact]
    public async Task A_first_step_serves_its_own_channel_alone()
    {
        await _client.RequestAsync<RegistrationChallenge>(Start("alice"));
        await using var other = await _server.ConnectAsync();

        Assert.Equal(RegistrationRefusal.RecordRefused, await other.RegistrationRefusalAsync(Finish("alice")));
    }

    [Fact]
    public async Task A_blinded_element_outside_the_group_is_refused()
    {
        Assert.Equal(RegistrationRefusal.RecordRefused, await _client.RegistrationRefusalAsync(Start("alice", Filled(32, 0xFF))));
        Assert.Equal(RegistrationRefusal.RecordRefused, await _client.RegistrationRefusalAsync(Start("alice", new byte[32])));
    }

    [Fact]
    public async Task A_record_whose_key_is_outside_the_group_is_refused()
    {
        foreach (var record in new[] { Filled(192, 0xFF), new byte[192] })
        {
            await _client.RequestAsync<RegistrationChallenge>(Start("alice"));
            Assert.Equal(RegistrationRefusal.RecordRefused, await _client.RegistrationRefusalAsync(Finish("alice", record)));
        }

        Assert.Empty(await ClientsAsync());
    }

    [Theory]
    [InlineData(191)]
    [InlineData(193)]
    public async Task A_record_of_another_length_ends_the_connection(int length)
    {
        await _client.RequestAsync<RegistrationChallenge>(Start("alice"));
        var request = new RawMessage(
            MessageCode.FinishRegistration, [0, 5, .. "alice"u8, .. Filled(length, 1), 1, 0, 0, 0, 3, 0, 1, 0, 0]);

        var sending = _client.RequestAsync(request);

        Assert.Equal(ProtocolError.Malformed, (await _client.EndedAsync()).PeerError);
        await Assert.ThrowsAsync<Transport.ChannelException>(() => sending);
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(1, 2, 65536)]
    [InlineData(1, 3, 65535)]
    [InlineData(1, 4, 65536)]
    [InlineData(2, 600_000, 0)]
    [InlineData(99, 3, 65536)]
    public async Task Another_stretching_than_the_realm_asks_for_is_refused(byte algorithm, uint iterations, uint memory)
    {
        await _client.RequestAsync<RegistrationChallenge>(Start("alice"));

        Assert.Equal(
            RegistrationRefusal.StretchingRefused,
            await _client.RegistrationRefusalAsync(Finish("alice", stretching: new Stretching(algorithm, iterations, memory))));
        Assert.Empty(await ClientsAsync());
    }

    [Fact]
    public async Task A_realm_may_ask_for_PBKDF2()
    {
        await using var server = await TestServer.StartAsync("--Auth:Stretching=Pbkdf2Sha256");

        var (account, _, client) = await server.SignUpAsync("alice");
        await using (client)
        {
            var row = Assert.Single(await server.ReadAsync(static database => database.Clients.AsNoTracking().ToListAsync(Cancel)));
            Assert.Equal((StretchingAlgorithm.Pbkdf2Sha256, 600_000u), (row.StretchingAlgorithm, row.StretchingIterations));
            await client.LoginAsync(account);
        }
    }

    [Fact]
    public async Task A_client_is_told_how_long_a_password_is_at_least()
    {
        Assert.Equal(8, (await _client.RequestAsync<RegistrationChallenge>(Start("alice"))).MinimumPasswordLength);

        await using var strict = await TestServer.StartAsync("--Auth:MinimumPasswordLength=15");
        await using var client = await strict.ConnectAsync();
        Assert.Equal(15, (await client.RequestAsync<RegistrationChallenge>(Start("alice"))).MinimumPasswordLength);
    }

    private static RegisterClientRequest Start(string name, byte[]? element = null) => new(name, "", element ?? SampleRecord.Element());

    private static FinishRegistrationRequest Finish(string name, byte[]? record = null, Stretching? stretching = null) =>
        new(name, record ?? SampleRecord.Make(), stretching ?? SampleRecord.Stretching);

    private static byte[] Filled(int length, byte value)
    {
        var bytes = new byte[length];
        bytes.AsSpan().Fill(value);
        return bytes;
    }

    private Task<List<Persistence.ClientRow>> ClientsAsync() =>
        _server.ReadAsync(static database => database.Clients.AsNoTracking().ToListAsync(Cancel));
}
