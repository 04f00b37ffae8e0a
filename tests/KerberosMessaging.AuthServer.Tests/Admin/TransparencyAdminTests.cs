using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using KerberosMessaging.AuthServer.Domain.Transparency;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Tests.Admin;

public sealed class TransparencyAdminTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private HttpClient _admin = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        _admin = _server.Admin();
    }

    public async ValueTask DisposeAsync()
    {
        _admin.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Certificates_links_and_removals_are_logged_under_heads_that_the_realm_signed()
    {
        await LiveAsync();

        var entries = await _admin.ListAllAsync("/transparency/entries", limit: 2);
        var heads = await _admin.ListAllAsync("/transparency/heads", limit: 2);

        Assert.Equal(["certified", "linked", "certified", "removed"], entries.Select(static entry => entry.Text("kind")));
        Assert.Equal([4L, 3, 2, 1], heads.Select(static head => head.GetProperty("size").GetInt64()));
        var devices = await _server.DevicesAsync();
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(devices[0].Certificate)), entries[0].Text("statement"));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(devices[0].Link)), entries[1].Text("statement"));
        foreach (var head in heads)
        {
            var (size, at) = (head.GetProperty("size").GetInt64(), head.GetProperty("at").GetDateTimeOffset());
            Assert.True(Ed25519.Verify(
                _server.Keys.Realm.PublicKey.Span, MerkleTree.SignedHead(size, at, Hex(head, "root")), Hex(head, "signature")));
            Assert.False(Ed25519.Verify(
                _server.Keys.Realm.PublicKey.Span, MerkleTree.SignedHead(size + 1, at, Hex(head, "root")), Hex(head, "signature")));
        }
    }

    [Fact]
    public async Task Every_entry_is_proven_to_be_under_every_later_head_and_every_head_to_have_grown_into_the_later_ones()
    {
        await LiveAsync();
        var entries = await _admin.ListAllAsync("/transparency/entries", limit: 200);
        var roots = (await _admin.ListAllAsync("/transparency/heads", limit: 200))
            .ToDictionary(static head => head.GetProperty("size").GetInt64(), static head => Hex(head, "root"));

        for (var size = 1L; size <= entries.Count; size++)
        {
            for (var index = 0; index < size; index++)
            {
                var path = Hashes(await _admin.ReadAsync(Path($"/transparency/entries/{index}/proof?size={size}")));
                var leaf = MerkleTree.HashLeaf(Hex(entries[index], "leaf"));
                Assert.True(MerkleProof.IsIncluded(leaf, index, size, path, roots[size]));
            }

            for (var older = 1L; older <= size; older++)
            {
                var path = Hashes(await _admin.ReadAsync(Path($"/transparency/consistency?from={older}&to={size}")));
                Assert.True(MerkleProof.IsConsistent(older, size, path, roots[older], roots[size]));
            }
        }
    }

    [Fact]
    public async Task A_server_that_had_no_log_writes_what_it_knows_of_its_devices_at_its_start()
    {
        await LiveAsync();
        await _server.ReadAsync(static async database =>
        {
            await database.TransparencyHeads.ExecuteDeleteAsync(Cancel);
            await database.TransparencyNodes.ExecuteDeleteAsync(Cancel);
            return await database.TransparencyEntries.ExecuteDeleteAsync(Cancel);
        });
        await _server.StopAsync();
        await _server.StartAgainAsync();
        using var admin = _server.Admin();

        // By device, so the order is another one.
        Assert.Equal(
            ["certified", "linked", "certified", "removed"],
            (await admin.ListAsync("/transparency/entries")).Select(static entry => entry.Text("kind")));
        Assert.Equal(4, Assert.Single(await admin.ListAsync("/transparency/heads")).GetProperty("size").GetInt64());

        await _server.StopAsync();
        await _server.StartAgainAsync();
        using var again = _server.Admin();
        Assert.Equal(4, (await again.ListAsync("/transparency/entries")).Count);
    }

    [Fact]
    public async Task What_the_log_never_was_is_refused()
    {
        await LiveAsync();

        await _admin.WrongAsync(HttpMethod.Get, "/transparency/entries/0/proof?size=5", "size");
        await _admin.WrongAsync(HttpMethod.Get, "/transparency/entries/0/proof?size=0", "size");
        await _admin.WrongAsync(HttpMethod.Get, "/transparency/consistency?to=5", "to");
        await _admin.WrongAsync(HttpMethod.Get, "/transparency/consistency?from=3&to=2", "from");
        await _admin.WrongAsync(HttpMethod.Get, "/transparency/consistency?from=-1", "from");
        await _admin.ProblemAsync(HttpMethod.Get, "/transparency/entries/4/proof", System.Net.HttpStatusCode.NotFound);
        await _admin.ProblemAsync(HttpMethod.Get, "/transparency/entries/2/proof?size=2", System.Net.HttpStatusCode.NotFound);
    }

    // One device that is linked, and one that comes and goes.
    private async Task LiveAsync()
    {
        var (alice, _, client) = await _server.SignUpQuickAsync("alice");
        await using (client)
        {
            using var key = Ed25519PrivateKey.Generate();
            await client.RequestAsync<Done>(
                new LinkDeviceRequest(alice.Device.Id, DeviceLink.Sign(key, alice.Client, alice.Device.Id, alice.Device.Identity)));
            var phone = new TestDevice();
            await using var other = await _server.ConnectAsync();
            await alice.LoginAsync(other, phone);
            await client.RequestAsync<Done>(new RemoveDeviceRequest(phone.Id));
        }
    }

    private static string Path(FormattableString path) => path.ToString(CultureInfo.InvariantCulture);

    private static byte[] Hex(JsonElement item, string property) => Convert.FromHexString(item.Text(property)!);

    private static List<byte[]> Hashes(JsonElement proof) =>
        [.. proof.GetProperty("hashes").EnumerateArray().Select(static hash => Convert.FromHexString(hash.GetString()!))];
}
