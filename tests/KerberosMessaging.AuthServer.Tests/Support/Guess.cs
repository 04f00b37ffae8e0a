using System.Security.Cryptography;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;

namespace KerberosMessaging.AuthServer.Tests.Support;

/// <summary>What the server said to a guess, at whichever step.</summary>
internal readonly record struct Answer(ProtocolError Error, TimeSpan RetryAfter)
{
    public static Answer Failed => new(ProtocolError.LoginFailed, default);

    public static Answer Wait(TimeSpan retryAfter) => new(ProtocolError.TooManyRequests, retryAfter);
}

/// <summary>Logins with a wrong password.</summary>
internal static class Guess
{
    /// <summary>Both steps, where the first is allowed.</summary>
    public static async Task<Answer> FailAsync(TestClient client, string name)
    {
        try
        {
            await StartAsync(client, name);
            await client.RequestAsync<TicketGranted>(new TestDevice().Finish(RandomNumberGenerator.GetBytes(64), client.ChannelBinding));
        }
        catch (RequestRefusedException e)
        {
            return new Answer(e.Error, e.RetryAfter);
        }

        throw new InvalidOperationException("A made-up proof was accepted.");
    }

    /// <summary>Both steps on a connection of their own.</summary>
    public static async Task<Answer> FailAsync(TestServer server, string name)
    {
        await using var client = await server.ConnectAsync();
        return await FailAsync(client, name);
    }

    /// <summary>The first step, whose challenge lets one password be tried.</summary>
    public static async Task StartAsync(TestClient client, string name)
    {
        using var login = OpaqueClientLogin.Start("wrong"u8);
        await client.StartLoginAsync(name, login);
    }
}
