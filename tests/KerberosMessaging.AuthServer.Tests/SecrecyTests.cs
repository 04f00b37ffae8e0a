using System.Security.Cryptography;
using System.Text;
using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace KerberosMessaging.AuthServer.Tests;

/// <summary>Searches the wire, the logs and the data folder for everything that must not be there.</summary>
public sealed class SecrecyTests : IAsyncLifetime
{
    private readonly TestAccount _alice = new("alice-of-the-secrecy-test");
    private readonly Dictionary<string, byte[]> _secrets = [];
    private readonly Dictionary<string, byte[]> _messages = [];
    private TestServer _server = null!;
    private TestMessageServer _messageServer = null!;
    private byte[] _fromClient = null!;
    private byte[] _fromServer = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        _messageServer = await _server.EnrolAsync();
        _secrets["service key"] = _messageServer.ServiceKey;
        await using var proxy = new RecordingProxy(_server.Port);
        await using (var client = await _server.ConnectAsync(proxy.Port))
        {
            AddText("password", _alice.Password);
            await RegisterAsync(client);
            await FailToLogInAsync(client);
            var ticket = await LogInAsync(client);
            var (_, part) = await client.RequestServiceTicketAsync(ticket, _messageServer.Registered.Server);
            _secrets["session key of the service ticket"] = part.SessionKey.Span.ToArray();
            await client.PresentAsync(ticket);
            await client.RequestAsync<ClientFound>(new LookUpClientRequest(_alice.Name));
            await client.RequestAsync<Done>(new LogoutRequest(Everywhere: true));
        }

        _fromClient = proxy.FromClient;
        _fromServer = proxy.FromServer;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public void The_wire_carries_nothing_that_a_password_could_be_tried_on()
    {
        Assert.True(_secrets.Count >= 14);
        Assert.True(_messages.Count >= 8);
        var name = Encoding.UTF8.GetBytes(_alice.Name);
        foreach (var stream in new[] { _fromClient, _fromServer })
        {
            foreach (var (what, bytes) in _secrets.Concat(_messages))
            {
                Assert.True(stream.AsSpan().IndexOf(bytes) < 0, what);
            }

            Assert.True(stream.AsSpan().IndexOf(name) < 0, "name");
            Assert.True(stream.AsSpan().IndexOf(Encoding.Unicode.GetBytes(_alice.Name)) < 0, "name");
        }
    }

    [Fact]
    public void Everything_after_the_hellos_is_sealed()
    {
        var sent = RecordingProxy.Frames(_fromClient);
        var received = RecordingProxy.Frames(_fromServer);
        Assert.Equal(MessageCode.ClientHello, sent[0].Header.Code);
        Assert.Equal(MessageCode.ServerHello, received[0].Header.Code);
        Assert.Equal(sent.Count, received.Count);
        Assert.True(sent[0].Header.Session.IsZero);

        // Nothing names the account, and a record is an initialisation vector, whole blocks and a tag.
        var session = WireReader.ReadWhole<ServerHello>(received[0].Payload).Session;
        foreach (var (header, payload) in sent.Skip(1).Concat(received.Skip(1)))
        {
            Assert.Equal(session, header.Session);
            Assert.True(payload.Length >= AuthenticatedCbc.MinimumSealedSize && payload.Length % 16 == 0, $"{header.Code}");
        }

        // No two records share as much as a vector, though a login was tried twice.
        var vectors = sent.Skip(1).Concat(received.Skip(1)).Select(static frame => Convert.ToHexString(frame.Payload.AsSpan(0, 16)));
        Assert.Equal(sent.Count + received.Count - 2, vectors.Distinct().Count());
    }

    [Fact]
    public void The_logs_hold_no_secret_no_message_and_no_name_at_any_level()
    {
        // Control: even the commands to the database are logged.
        Assert.Contains(_server.Log.Lines, static line => line.Text.Contains("INSERT INTO \"Clients\"", StringComparison.Ordinal));
        foreach (var (_, line) in _server.Log.Lines)
        {
            Assert.DoesNotContain(_alice.Password, line, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(_alice.Name, line, StringComparison.OrdinalIgnoreCase);
            foreach (var (what, bytes) in _secrets.Concat(_messages))
            {
                foreach (var form in AsText(bytes))
                {
                    Assert.False(line.Contains(form, StringComparison.OrdinalIgnoreCase), what);
                }
            }
        }
    }

    [Fact]
    public async Task The_data_folder_holds_no_secret_unsealed()
    {
        await AddRealmKeysAsync();

        // Once while the server runs, with its write-ahead log, and once after it.
        AssertNotStored();
        await _server.StopAsync();
        SqliteConnection.ClearAllPools();
        AssertNotStored();
    }

    [Fact]
    public async Task What_is_sealed_opens_only_for_its_own_purpose()
    {
        var protection = _server.App.Services.GetRequiredService<IDataProtectionProvider>();
        var realm = Assert.Single(
            await _server.ReadAsync(static database => database.RealmKeys.AsNoTracking().ToListAsync(Cancel)),
            static row => row.Purpose == RealmKeyPurpose.Ticket);

        Assert.Throws<CryptographicException>(() => protection.CreateProtector("kmsg service keys").Unprotect(realm.Sealed));
    }

    [Fact]
    public void The_data_folder_is_for_its_owner_alone()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        const UnixFileMode ownerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        Assert.Equal(ownerOnly, File.GetUnixFileMode(_server.Folder.File("data")));
        Assert.Equal(ownerOnly, File.GetUnixFileMode(_server.Folder.File("data/keys")));
    }

    private static IEnumerable<string> AsText(byte[] bytes) =>
        [Convert.ToHexString(bytes), BitConverter.ToString(bytes), Convert.ToBase64String(bytes).TrimEnd('='), string.Join(", ", bytes), string.Join(' ', bytes)];

    private async Task RegisterAsync(TestClient client)
    {
        using var registration = OpaqueClientRegistration.Start(_alice.PasswordBytes);
        var blind = OpaqueInside.BlindOf(registration);
        var challenge = await client.RequestAsync<RegistrationChallenge>(
            new RegisterClientRequest(_alice.Name, "", registration.Request.ToArray()));
        var stretching = TestClient.Parameters(challenge.Stretching);
        Assert.True(registration.TryFinish(challenge.RegistrationResponse, stretching, [], [], out var result));
        await client.RequestAsync<ClientRegistered>(
            new FinishRegistrationRequest(_alice.Name, result.Record, challenge.Stretching));

        var (output, stretched, randomized) = OpaqueInside.Derive(
            _alice.PasswordBytes, blind, challenge.RegistrationResponse[..32], stretching);
        var maskingKey = HKDF.Expand(HashAlgorithmName.SHA512, randomized, 64, "MaskingKey"u8.ToArray());

        // Control: this is what the record was made from.
        Assert.Equal(result.Record[32..96], maskingKey);
        _secrets["blind"] = blind;
        _secrets["OPRF output"] = output;
        _secrets["stretched key"] = stretched;
        _secrets["randomized password"] = randomized;
        _secrets["export key"] = result.ExportKey.Span.ToArray();
        _messages["blinded element of the registration"] = registration.Request.ToArray();
        _messages["evaluated element of the registration"] = challenge.RegistrationResponse[..32];
        _messages["client public key"] = result.Record[..32];
        _messages["masking key"] = maskingKey;
        _messages["envelope"] = result.Record[96..];
    }

    private async Task FailToLogInAsync(TestClient client)
    {
        const string wrong = "a wrong password, nearly right";
        AddText("wrong password", wrong);
        using var login = OpaqueClientLogin.Start(Encoding.UTF8.GetBytes(wrong));
        var challenge = await client.StartLoginAsync(_alice.Name, login);
        Assert.False(TestClient.TryFinish(login, challenge, client.ChannelBinding, out _));
        Assert.Equal(
            ProtocolError.LoginFailed,
            await client.RefusalAsync(_alice.Device.Finish(RandomNumberGenerator.GetBytes(64), client.ChannelBinding)));
    }

    private async Task<TestTicket> LogInAsync(TestClient client)
    {
        using var login = OpaqueClientLogin.Start(_alice.PasswordBytes);
        var challenge = await client.StartLoginAsync(_alice.Name, login);
        Assert.True(TestClient.TryFinish(login, challenge, client.ChannelBinding, out var proven));
        var ticket = TestClient.Open(
            await client.RequestAsync<TicketGranted>(_alice.Device.Finish(proven!.Ke3, client.ChannelBinding)), proven.SessionKey);
        _secrets["OPAQUE session key"] = proven.SessionKey.Span.ToArray();
        _secrets["session key"] = ticket.SessionKey.Span.ToArray();
        _secrets["channel binding"] = client.ChannelBinding.ToArray();
        _messages["blinded element"] = login.Ke1[..32].ToArray();
        _messages["evaluated element"] = challenge.Ke2[..32];
        _messages["server MAC"] = challenge.Ke2[^64..];
        _messages["client MAC"] = proven.Ke3;
        _messages["device identity"] = _alice.Device.Identity;
        return ticket;
    }

    private async Task AddRealmKeysAsync()
    {
        var protector = _server.App.Services.GetRequiredService<IDataProtectionProvider>().CreateProtector("kmsg realm keys");
        foreach (var row in await _server.ReadAsync(static database => database.RealmKeys.AsNoTracking().ToListAsync(Cancel)))
        {
            using var opened = Sealing.Open(protector, row.Sealed);
            _secrets[$"{row.Purpose}"] = opened.Span.ToArray();
        }

        // Control: these are the keys that the server works with.
        Assert.Equal(_server.Keys.TicketKey.Key.Span.ToArray(), _secrets[nameof(RealmKeyPurpose.Ticket)]);
        using var signing = Ed25519PrivateKey.FromSeed(_secrets[nameof(RealmKeyPurpose.Realm)]);
        Assert.Equal(_server.Keys.Realm.PublicKey.ToArray(), signing.PublicKey.ToArray());
        Assert.Equal(64, _secrets[nameof(RealmKeyPurpose.OprfSeed)].Length);
        Assert.Equal(32, _secrets[nameof(RealmKeyPurpose.OpaquePrivateKey)].Length);
    }

    private void AddText(string what, string text)
    {
        _secrets[$"{what} in UTF-8"] = Encoding.UTF8.GetBytes(text);
        _secrets[$"{what} in UTF-16"] = Encoding.Unicode.GetBytes(text);
        _secrets[$"{what} in big-endian UTF-16"] = Encoding.BigEndianUnicode.GetBytes(text);
    }

    private void AssertNotStored()
    {
        // Control: the search finds what is there.
        var files = _server.Folder.AllFiles().ToList();
        Assert.Contains(files, file => file.Bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(_alice.Name)) >= 0);
        Assert.Contains(files, file => file.Bytes.AsSpan().IndexOf(_messages["envelope"]) >= 0);
        foreach (var (file, bytes) in files)
        {
            foreach (var (what, secret) in _secrets)
            {
                Assert.True(bytes.AsSpan().IndexOf(secret) < 0, $"{what} in {file}");
                Assert.True(bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes(Convert.ToHexString(secret))) < 0, $"{what} in {file}");
                Assert.True(bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes(Convert.ToBase64String(secret).TrimEnd('='))) < 0, $"{what} in {file}");
            }
        }
    }
}
