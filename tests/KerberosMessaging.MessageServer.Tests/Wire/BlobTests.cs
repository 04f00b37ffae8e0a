using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.MessageServer.Tests.Wire;

public sealed class BlobTests : IAsyncLifetime
{
    private const int Piece = ProtocolLimits.BlobChunkBytes;

    private readonly TestDevice _alice = TestDevice.Of("alice");
    private readonly TestDevice _bob = TestDevice.Of("bob");
    private TestServer _server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync(
        time: null,
        "--Blobs:MaxBytes=8388608",
        "--Blobs:MaxBytesPerClient=9000000",
        "--Blobs:MinimumFreeDiskBytes=0");

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_blob_goes_up_in_pieces_and_anybody_who_knows_its_id_reads_it()
    {
        var content = RandomNumberGenerator.GetBytes((2 * Piece) + 77);
        var start = Announce(content);
        await using (var alice = await _server.SignInAsync(_alice, Cancellation))
        {
            Assert.Equal((0, false), Told(await StartAsync(alice, start)));
            var told = await UploadAsync(alice, start, content, 0);
            Assert.Equal((content.Length, true), Told(told));
            Assert.InRange(
                told.ExpiresAt,
                DateTimeOffset.UtcNow.AddSeconds(start.TimeToLiveSeconds - 300),
                DateTimeOffset.UtcNow.AddSeconds(start.TimeToLiveSeconds));
        }

        await using var bob = await _server.SignInAsync(_bob, Cancellation);
        Assert.Equal(content, await ReadAsync(bob, start.Blob, content.Length));
        var beyond = await bob.Connection.RequestAsync<BlobData>(new ReadBlobRequest(start.Blob, content.Length, 5), Cancellation);
        Assert.Equal((content.Length, content.Length, 0), (beyond.Size, beyond.Offset, beyond.Content.Length));
    }

    [Fact]
    public async Task An_interrupted_upload_goes_on_over_another_connection_of_another_device()
    {
        var content = RandomNumberGenerator.GetBytes(3 * Piece);
        var start = Announce(content);
        await using (var laptop = await _server.SignInAsync(_alice, Cancellation))
        {
            await StartAsync(laptop, start);
            await WriteAsync(laptop, start, content, 0);
        }

        await using var phone = await _server.SignInAsync(TestDevice.Of("alice", _alice.Client), Cancellation);
        Assert.Equal((Piece, false), Told(await StartAsync(phone, start)));
        Assert.Equal((content.Length, true), Told(await UploadAsync(phone, start, content, Piece)));
        Assert.Equal(content, await ReadAsync(phone, start.Blob, content.Length));
    }

    [Fact]
    public async Task An_upload_goes_on_and_blobs_stay_when_the_server_starts_again()
    {
        var content = RandomNumberGenerator.GetBytes((4 << 20) + (2 * Piece));
        var (whole, half) = (Announce(content), Announce(content));
        await using (var alice = await _server.SignInAsync(_alice, Cancellation))
        {
            await StartAsync(alice, whole);
            await UploadAsync(alice, whole, content, 0);
            await StartAsync(alice, half);
            for (var offset = 0; offset <= 4 << 20; offset += Piece)
            {
                await WriteAsync(alice, half, content, offset);
            }
        }

        await _server.StopAsync();
        await _server.StartAgainAsync();
        await using var again = await _server.SignInAsync(_alice, Cancellation);
        Assert.Equal((content.Length, true), Told(await StartAsync(again, whole)));
        Assert.Equal(content, await ReadAsync(again, whole.Blob, content.Length));
        Assert.Equal((4 << 20, false), Told(await StartAsync(again, half)));
        Assert.Equal((content.Length, true), Told(await UploadAsync(again, half, content, 4 << 20)));
    }

    [Fact]
    public async Task Unknown_foreign_and_unfinished_blobs_look_alike()
    {
        var content = RandomNumberGenerator.GetBytes(100);
        var start = Announce(content);
        var unknown = new BlobId(Guid.NewGuid());
        await using var alice = await _server.SignInAsync(_alice, Cancellation);
        await using var bob = await _server.SignInAsync(_bob, Cancellation);
        await StartAsync(alice, start);

        foreach (var blob in new[] { unknown, start.Blob })
        {
            Assert.Equal(ProtocolError.UnknownBlob, await RefusalAsync(bob, new WriteBlobRequest(blob, 0, content)));
            Assert.Equal(ProtocolError.UnknownBlob, await RefusalAsync(bob, new DeleteBlobRequest(blob)));
            Assert.Equal(ProtocolError.UnknownBlob, await RefusalAsync(bob, new ReadBlobRequest(blob, 0, 1)));
        }

        Assert.Equal(ProtocolError.UnknownBlob, await RefusalAsync(alice, new ReadBlobRequest(start.Blob, 0, 1)));
        await WriteAsync(alice, start, content, 0);
        Assert.Equal(ProtocolError.UnknownBlob, await RefusalAsync(bob, new DeleteBlobRequest(start.Blob)));
        Assert.Equal(content, await ReadAsync(bob, start.Blob, content.Length));

        await alice.Connection.RequestAsync<Done>(new DeleteBlobRequest(start.Blob), Cancellation);
        Assert.Equal(ProtocolError.UnknownBlob, await RefusalAsync(bob, new ReadBlobRequest(start.Blob, 0, 1)));
    }

    [Fact]
    public async Task What_contradicts_its_announcement_or_is_over_a_limit_is_refused_and_the_connection_stays()
    {
        var content = RandomNumberGenerator.GetBytes(100);
        var start = Announce(content);
        await using var alice = await _server.SignInAsync(_alice, Cancellation);
        Assert.Equal(ProtocolError.BlobTooLarge, await RefusalAsync(alice, start with { Size = 8388609 }));
        await StartAsync(alice, start);
        Assert.Equal(ProtocolError.BlobRefused, await RefusalAsync(alice, start with { Size = 99 }));
        Assert.Equal(ProtocolError.BlobRefused, await RefusalAsync(alice, new WriteBlobRequest(start.Blob, 0, new byte[101])));
        Assert.Equal(ProtocolError.BlobRefused, await RefusalAsync(alice, new WriteBlobRequest(start.Blob, 0, new byte[100])));
        Assert.Equal(ProtocolError.UnknownBlob, await RefusalAsync(alice, new WriteBlobRequest(start.Blob, 0, content)));

        await StartAsync(alice, Announce(content) with { Size = 8388608 });
        var refusal = await Assert.ThrowsAsync<RequestRefusedException>(() => StartAsync(alice, Announce(content) with { Size = 700_000 }));
        Assert.Equal((ProtocolError.QuotaExceeded, TimeSpan.FromSeconds(60)), (refusal.Error, refusal.RetryAfter));
    }

    [Fact]
    public async Task Pieces_that_are_sent_without_waiting_arrive_in_order_and_messages_pass_them()
    {
        var content = RandomNumberGenerator.GetBytes(32 * Piece);
        var start = Announce(content);
        await using var bob = await _server.SignInAsync(_bob, Cancellation);
        await using var alice = await _server.SignInAsync(_alice, Cancellation);
        await StartAsync(alice, start);
        var pieces = Enumerable.Range(0, 32).Select(i => WriteAsync(alice, start, content, i * Piece)).ToArray();
        var message = alice.SendAsync(_bob, Cancellation);

        Assert.Equal(Enumerable.Range(1, 32).Select(static i => (long)i * Piece), (await Task.WhenAll(pieces)).Select(static state => state.NextOffset));
        await message;
        Assert.Equal(content, await ReadAsync(bob, start.Blob, content.Length));
    }

    [Fact]
    public async Task Two_connections_that_upload_one_blob_at_once_yield_it_once()
    {
        var content = RandomNumberGenerator.GetBytes(6 * Piece);
        var start = Announce(content);
        await using var one = await _server.SignInAsync(_alice, Cancellation);
        await using var other = await _server.SignInAsync(TestDevice.Of("alice", _alice.Client), Cancellation);
        await Task.WhenAll(new[] { one, other }.Select(async client =>
        {
            var state = await StartAsync(client, start);
            while (!state.IsComplete)
            {
                state = await WriteAsync(client, start, content, state.NextOffset);
            }
        }));

        Assert.Equal(content, await ReadAsync(one, start.Blob, content.Length));
    }

    [Fact]
    public async Task Nobody_reads_or_writes_without_a_ticket()
    {
        await using var stranger = await _server.ConnectAsync(Cancellation);
        Assert.Equal(ProtocolError.NotSignedIn, await RefusalAsync(stranger, Announce([1])));
        Assert.Equal(ProtocolError.NotSignedIn, await RefusalAsync(stranger, new ReadBlobRequest(new BlobId(Guid.NewGuid()), 0, 1)));
    }

    [Fact]
    public async Task An_admin_sees_how_much_there_is()
    {
        await using var alice = await _server.SignInAsync(_alice, Cancellation);
        var start = Announce(new byte[100]);
        await StartAsync(alice, start);
        await WriteAsync(alice, start, new byte[100], 0);
        await StartAsync(alice, Announce(new byte[7]));

        using var admin = _server.Admin();
        var stats = await admin.GetFromJsonAsync<JsonElement>("/admin/v1/blobs/stats", Cancellation);
        Assert.Equal("""{"complete":1,"completeBytes":100,"unfinished":1,"unfinishedBytes":7}""", stats.GetRawText());
    }

    [Fact]
    public async Task Expired_blobs_are_swept_while_the_server_runs()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var server = await TestServer.StartAsync(time, "--Blobs:MinimumFreeDiskBytes=0");
        var start = Announce(new byte[100]);
        await using (var alice = await server.SignInAsync(_alice, Cancellation))
        {
            await StartAsync(alice, start);
            await WriteAsync(alice, start, new byte[100], 0);
        }

        var folder = Path.Combine(server.Folder, "blobs");
        Assert.Single(Directory.GetFiles(folder, "*", SearchOption.AllDirectories));
        await time.PassesAsync(
            TimeSpan.FromHours(1), () => Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Length == 0, Cancellation);
        Assert.DoesNotContain(server.Log.Lines, static line => line.Level >= Microsoft.Extensions.Logging.LogLevel.Error);
    }

    private static StartBlobRequest Announce(byte[] content) => new(
        new BlobId(new Guid(RandomNumberGenerator.GetBytes(16))), content.Length, SHA256.HashData(content), 24 * 3600);

    private static Task<BlobState> StartAsync(TestClient client, StartBlobRequest start) =>
        client.Connection.RequestAsync<BlobState>(start, Cancellation);

    private static Task<BlobState> WriteAsync(TestClient client, StartBlobRequest start, byte[] content, long offset) =>
        client.Connection.RequestAsync<BlobState>(
            new WriteBlobRequest(start.Blob, offset, content.AsSpan((int)offset, (int)Math.Min(Piece, content.Length - offset)).ToArray()),
            Cancellation);

    private static async Task<BlobState> UploadAsync(TestClient client, StartBlobRequest start, byte[] content, long offset)
    {
        BlobState state;
        do
        {
            state = await WriteAsync(client, start, content, offset);
            Assert.True(state.NextOffset > offset);
            offset = state.NextOffset;
        }
        while (!state.IsComplete);

        return state;
    }

    private static async Task<byte[]> ReadAsync(TestClient client, BlobId blob, int size)
    {
        var content = new MemoryStream();
        while (content.Length < size)
        {
            var data = await client.Connection.RequestAsync<BlobData>(new ReadBlobRequest(blob, content.Length, Piece), Cancellation);
            Assert.Equal((size, content.Length), (data.Size, data.Offset));
            content.Write(data.Content.Span);
        }

        return content.ToArray();
    }

    private static async Task<ProtocolError> RefusalAsync(TestClient client, IWireMessage request) =>
        (await Assert.ThrowsAsync<RequestRefusedException>(() => client.Connection.RequestAsync(request, Cancellation))).Error;

    private static (long NextOffset, bool IsComplete) Told(BlobState state) => (state.NextOffset, state.IsComplete);
}
