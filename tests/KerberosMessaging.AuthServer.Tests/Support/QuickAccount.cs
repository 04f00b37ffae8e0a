using System.Security.Cryptography;
using System.Text;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;

namespace KerberosMessaging.AuthServer.Tests.Support;

/// <summary>An account whose logins take no time: its client does not stretch the password.</summary>
internal sealed class QuickAccount(string name, string? password = null)
{
    public string Name { get; } = name;

    public string Password { get; set; } = password ?? Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));

    public TestDevice Device { get; } = new();

    /// <summary>The client's id, once it is registered.</summary>
    public ClientId Client { get; private set; }

    public byte[] PasswordBytes => Encoding.UTF8.GetBytes(Password);

    /// <summary>Both steps of a registration, or of a reset.</summary>
    public async Task<FinishRegistrationRequest> RegisterAsync(TestClient client, string token = "")
    {
        var finish = await StartRegistrationAsync(client, token);
        Client = (await client.RequestAsync<ClientRegistered>(finish)).Client;
        return finish;
    }

    /// <summary>The first step of a registration; what the second sends.</summary>
    public async Task<FinishRegistrationRequest> StartRegistrationAsync(TestClient client, string token = "")
    {
        using var registration = OpaqueClientRegistration.Start(PasswordBytes);
        var challenge = await client.RequestAsync<RegistrationChallenge>(
            new RegisterClientRequest(Name, token, registration.Request.ToArray()));
        using var result = QuickOpaque.Finish(registration, challenge.RegistrationResponse);
        return new FinishRegistrationRequest(Name, result.Record, challenge.Stretching);
    }

    /// <summary>The first step of a login, and what the second needs; null where the password is not this one.</summary>
    public async Task<OpaqueLoginResult?> TryProveAsync(TestClient client)
    {
        using var login = OpaqueClientLogin.Start(PasswordBytes);
        var challenge = await client.StartLoginAsync(Name, login);
        return QuickOpaque.Finish(login, challenge.Ke2, client.ChannelBinding);
    }

    public async Task<OpaqueLoginResult> ProveAsync(TestClient client)
    {
        var proven = await TryProveAsync(client);
        Assert.NotNull(proven);
        return proven;
    }

    /// <summary>Both steps of a login.</summary>
    public async Task<TestTicket> LoginAsync(TestClient client, TestDevice? device = null)
    {
        using var proven = await ProveAsync(client);
        var granted = await client.RequestAsync<TicketGranted>((device ?? Device).Finish(proven.Ke3, client.ChannelBinding));
        return TestClient.Open(granted, proven.SessionKey);
    }

    /// <summary>Both steps of a login that may be refused.</summary>
    public async Task<LoginOutcome> TryLoginAsync(TestClient client, TestDevice? device = null)
    {
        try
        {
            using var proven = await TryProveAsync(client);
            var finish = (device ?? Device).Finish(proven?.Ke3 ?? RandomNumberGenerator.GetBytes(64), client.ChannelBinding);
            var granted = await client.RequestAsync<TicketGranted>(finish);
            return new LoginOutcome(TestClient.Open(granted, proven!.SessionKey), null, default);
        }
        catch (RequestRefusedException e)
        {
            return new LoginOutcome(null, e.Error, e.RetryAfter);
        }
    }
}

/// <summary>How a login ended: with a ticket, or refused at one of its two steps.</summary>
internal sealed record LoginOutcome(TestTicket? Ticket, ProtocolError? Error, TimeSpan RetryAfter)
{
    public bool Succeeded => Ticket is not null;
}
