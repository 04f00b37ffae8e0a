using System.Text;
using KerberosMessaging.Client.Tests.Support;
using KerberosMessaging.Cryptography;
using KerberosMessaging.EndToEnd;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;

namespace KerberosMessaging.Client.Tests;

#pragma warning disable xUnit1069 // The tests do use the token, through a property that the rule does not look into.

/// <summary>An auth server that has the realm's key and lies all the same gets no proof of the password and no trust.</summary>
public sealed class LoginRefusalTests : IAsyncDisposable
{
    // A test that waits for what never comes fails after this many milliseconds.
    private const int Patience = 20_000;

    private readonly TempFolder _folder = new();
    private readonly ScriptedRealm _realm = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private MessagingOptions Options => ScriptedRealm.Options(_folder, "alice") with { OperationTimeout = TimeSpan.FromSeconds(10) };

    private IEnumerable<MessageCode> Requests => _realm.Auth.Requests.Select(static request => request.Code);

    public async ValueTask DisposeAsync()
    {
        await _realm.DisposeAsync();
        _folder.Dispose();
    }

    [Theory(Timeout = Patience)]
    [InlineData(StretchingAlgorithm.Argon2id, 1, 64 * 1024)]
    [InlineData(StretchingAlgorithm.Argon2id, 3, 8)]
    [InlineData(StretchingAlgorithm.Argon2id, 3, 16 * 1024 * 1024)]
    [InlineData(StretchingAlgorithm.Argon2id, 1_000_000, 64 * 1024)]
    [InlineData(StretchingAlgorithm.Pbkdf2Sha256, 1, 0)]
    [InlineData(StretchingAlgorithm.Pbkdf2Sha256, 2_000_000_000, 0)]
    [InlineData((StretchingAlgorithm)0, 3, 64 * 1024)]
    [InlineData((StretchingAlgorithm)99, 3, 64 * 1024)]
    public async Task Weak_or_ruinous_stretching_is_refused_and_nothing_made_of_the_password_is_sent(
        StretchingAlgorithm algorithm, uint iterations, uint memoryKiB)
    {
        var stretching = new Stretching((byte)algorithm, iterations, memoryKiB);
        _realm.Auth.Twist(MessageCode.RegisterClient, reply => (RegistrationChallenge)reply! with { Stretching = stretching });
        _realm.Auth.Twist(MessageCode.StartLogin, reply => (LoginChallenge)reply! with { Stretching = stretching });

        await Refusal.OfAsync(MessagingFailure.StretchingRefused, RegisterAsync);
        await Refusal.OfAsync(MessagingFailure.StretchingRefused, LoginAsync);

        Assert.Equal([MessageCode.RegisterClient, MessageCode.StartLogin], Requests);
        Assert.False(File.Exists(_folder.File("alice.db")));
    }

    [Fact(Timeout = Patience)]
    public async Task A_server_that_does_not_know_the_record_gets_no_proof()
    {
        await RegisterAsync();
        _realm.Auth.Twist(MessageCode.StartLogin, reply => Flip((LoginChallenge)reply!));

        await Refusal.OfAsync(MessagingFailure.LoginFailed, LoginAsync);

        Assert.DoesNotContain(MessageCode.FinishLogin, Requests);

        static LoginChallenge Flip(LoginChallenge challenge)
        {
            challenge.Ke2[^1] ^= 1;
            return challenge;
        }
    }

    [Fact(Timeout = Patience)]
    public async Task A_wrong_password_and_an_unknown_name_look_alike_and_send_no_proof()
    {
        await RegisterAsync();
        using var wrong = ScriptedRealm.PasswordOf("mallory");

        var known = await Refusal.OfAsync(MessagingFailure.LoginFailed, () => LoginAsync("alice", wrong));
        var unknown = await Refusal.OfAsync(MessagingFailure.LoginFailed, () => LoginAsync("nobody", wrong));

        Assert.Equal(known.Message, unknown.Message);
        Assert.DoesNotContain(MessageCode.FinishLogin, Requests);
    }

    [Fact(Timeout = Patience)]
    public async Task A_ticket_whose_part_does_not_open_is_not_kept()
    {
        await RegisterAsync();
        _realm.Auth.Twist(MessageCode.FinishLogin, static reply => new TicketGranted(((TicketGranted)reply!).Ticket, new byte[200]));

        await Refusal.OfAnyKindAsync(LoginAsync);

        AssertNoLogin();
    }

    [Fact(Timeout = Patience)]
    public async Task A_part_that_came_with_another_ticket_is_not_taken()
    {
        await RegisterAsync();
        _realm.Auth.Twist(MessageCode.FinishLogin, static reply =>
        {
            var granted = (TicketGranted)reply!;
            granted.Ticket[^1] ^= 1;
            return granted;
        });

        await Refusal.OfAnyKindAsync(LoginAsync);

        AssertNoLogin();
    }

    [Theory(Timeout = Patience)]
    [InlineData("other keys")]
    [InlineData("other device")]
    [InlineData("other client")]
    [InlineData("other realm")]
    [InlineData("no certificate")]
    public async Task A_certificate_that_is_not_for_this_very_device_is_refused(string what)
    {
        await RegisterAsync();
        var client = _realm.Find("alice");
        using var other = DeviceIdentity.Generate();
        using var otherRealm = Ed25519PrivateKey.Generate();
        _realm.Auth.On<FinishLoginRequest>((connection, request) =>
        {
            using var login = connection.Login!;
            Assert.True(login.TryFinish(request.Ke3, out var key));
            var right = client.Certify(request.Device, request.DeviceIdentity);
            var certificate = what switch
            {
                "other keys" => client.Certify(request.Device, other.Public.ToBytes()).Sign(_realm.Auth.Key),
                "other device" => (right with { Device = DeviceId.New() }).Sign(_realm.Auth.Key),
                "other client" => (right with { Client = ClientId.New() }).Sign(_realm.Auth.Key),
                "other realm" => right.Sign(otherRealm),
                _ => [],
            };
            using var part = new AsReplyPart
            {
                SessionKey = SessionKey.New(),
                Session = SessionId.New(),
                Client = client.Id,
                ClientName = client.Name,
                ServerTime = ScriptedRealm.Now,
                Times = new TicketTimes(ScriptedRealm.Now, ScriptedRealm.Now, ScriptedRealm.Now.AddHours(1), ScriptedRealm.Now.AddHours(2)),
                Certificate = certificate,
            };
            byte[] ticket = [1, 2, 3];
            return new TicketGranted(ticket, part.Seal(key, ticket));
        });

        await Refusal.OfAnyKindAsync(LoginAsync);

        AssertNoLogin();
    }

    [Fact(Timeout = Patience)]
    public async Task A_server_that_takes_no_registration_says_why()
    {
        await RegisterAsync();
        await Refusal.OfAsync(MessagingFailure.NameTaken, RegisterAsync);
        _realm.Auth.On<RegisterClientRequest>(static _ => new RegistrationRefused(RegistrationRefusal.NameInvalid));
        await Refusal.OfAsync(MessagingFailure.NameInvalid, RegisterAsync);
        _realm.Auth.On<RegisterClientRequest>(static _ => new RegistrationRefused(RegistrationRefusal.Closed));
        await Refusal.OfAsync(MessagingFailure.RegistrationClosed, RegisterAsync);
        _realm.Auth.On<RegisterClientRequest>(static _ => new RegistrationRefused(RegistrationRefusal.InviteRefused));
        await Refusal.OfAsync(MessagingFailure.InviteRefused, RegisterAsync);
        _realm.Auth.On<RegisterClientRequest>(static _ => new RegistrationRefused((RegistrationRefusal)999));
        await Refusal.OfAsync(MessagingFailure.RegistrationRefused, RegisterAsync);
    }

    [Fact(Timeout = Patience)]
    public async Task A_name_that_cannot_be_sent_is_refused_at_once()
    {
        using var password = ScriptedRealm.PasswordOf("alice");
        foreach (var name in new[] { "", new string('x', 65), new string('ü', 33), "half a character: \uD800" })
        {
            await Refusal.OfAsync(
                MessagingFailure.NameInvalid,
                () => MessagingClient.RegisterAsync(_realm.Pin, name, password, Options, cancellationToken: Cancel));
            await Refusal.OfAsync(MessagingFailure.NameInvalid, () => LoginAsync(name, password));
        }

        Assert.Empty(Requests);
    }

    [Fact(Timeout = Patience)]
    public async Task A_server_that_never_answers_is_given_up()
    {
        await RegisterAsync();
        _realm.Auth.Twist(MessageCode.StartLogin, static _ => null);

        await Refusal.OfAsync(MessagingFailure.Unreachable, LoginAsync);
    }

    [Fact(Timeout = Patience)]
    public async Task No_request_holds_the_password()
    {
        await using (await _realm.JoinAsync(_folder, "alice", Cancel))
        {
        }

        var password = Encoding.UTF8.GetBytes("correct horse alice");
        Assert.Equal(
            [
                MessageCode.RegisterClient, MessageCode.FinishRegistration, MessageCode.StartLogin, MessageCode.FinishLogin,
                MessageCode.PresentTicket, MessageCode.LookUpClient, MessageCode.LinkDevice, MessageCode.ListServers, MessageCode.RequestServiceTicket,
            ],
            Requests);
        Assert.All(
            _realm.Auth.Requests.Concat(_realm.Message.Requests),
            request => Assert.Equal(-1, request.Payload.AsSpan().IndexOf(password)));
    }

    [Fact(Timeout = Patience)]
    public async Task A_store_made_for_another_client_is_refused_before_its_device_is_shown_to_the_realm()
    {
        await using (await _realm.JoinAsync(_folder, "alice", Cancel))
        {
        }

        using var key = SecretBytes.Random(64);
        using var alicesPassword = ScriptedRealm.PasswordOf("alice");
        using var bobsPassword = ScriptedRealm.PasswordOf("bob");
        await MessagingClient.RegisterAsync(_realm.Pin, "bob", bobsPassword, Options, cancellationToken: Cancel);
        var options = ScriptedRealm.Options(_folder, "shared") with { OperationTimeout = TimeSpan.FromSeconds(10) };
        await using (await MessagingClient.LoginAsync(_realm.Pin, "alice", alicesPassword, options, key, Cancel))
        {
        }

        var before = Requests.Count(static code => code == MessageCode.FinishLogin);
        await Refusal.OfAsync(
            MessagingFailure.StoreUnusable,
            () => MessagingClient.LoginAsync(_realm.Pin, "bob", bobsPassword, options, key, Cancel));

        Assert.Equal(before, Requests.Count(static code => code == MessageCode.FinishLogin));
    }

    private async Task RegisterAsync()
    {
        using var password = ScriptedRealm.PasswordOf("alice");
        await MessagingClient.RegisterAsync(_realm.Pin, "alice", password, Options, cancellationToken: Cancel);
    }

    private async Task LoginAsync()
    {
        using var password = ScriptedRealm.PasswordOf("alice");
        await LoginAsync("alice", password);
    }

    private async Task LoginAsync(string name, SecretBytes password)
    {
        var options = ScriptedRealm.Options(_folder, "alice") with { OperationTimeout = TimeSpan.FromSeconds(2) };
        await using var client = await MessagingClient.LoginAsync(_realm.Pin, name, password, options, cancellationToken: Cancel);
    }

    // The device keys are made before the realm has answered; a login was not.
    private void AssertNoLogin()
    {
        Assert.Empty(_realm.Message.Requests);
        Assert.DoesNotContain(MessageCode.PresentTicket, Requests);
    }
}
