using System.Security.Cryptography;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;

namespace KerberosMessaging.AuthServer.Tests.Admin;

/// <summary>What people do while admins look on.</summary>
internal static class People
{
    /// <summary>A login with a wrong password.</summary>
    public static async Task FailToLogInAsync(this TestClient client, string name)
    {
        using var login = OpaqueClientLogin.Start("a wrong password"u8);
        await client.StartLoginAsync(name, login);
        Assert.Equal(
            ProtocolError.LoginFailed,
            await client.RefusalAsync(new TestDevice().Finish(RandomNumberGenerator.GetBytes(64), client.ChannelBinding)));
    }

    /// <summary>A login with the right password that is refused all the same.</summary>
    public static async Task<ProtocolError> LoginRefusalAsync(this TestClient client, TestAccount account)
    {
        using var proven = await client.ProvePasswordAsync(account);
        return await client.RefusalAsync(account.Device.Finish(proven.Ke3, client.ChannelBinding));
    }

    /// <summary>Registers with a one-time token, or sets a new password with one.</summary>
    public static async Task<ClientRegistered> RegisterAsync(this TestClient client, TestAccount account, string token)
    {
        using var registration = OpaqueClientRegistration.Start(account.PasswordBytes);
        var challenge = await client.RequestAsync<RegistrationChallenge>(
            new RegisterClientRequest(account.Name, token, registration.Request.ToArray()));
        Assert.True(registration.TryFinish(
            challenge.RegistrationResponse, TestClient.Parameters(challenge.Stretching), [], [], out var result));
        using (result)
        {
            return await client.RequestAsync<ClientRegistered>(
                new FinishRegistrationRequest(account.Name, result.Record, challenge.Stretching));
        }
    }

    public static Task<RegistrationRefusal> InviteRefusalAsync(this TestClient client, string name, string token) =>
        client.RegistrationRefusalAsync(new RegisterClientRequest(name, token, SampleRecord.Element()));

    /// <summary>Both steps of a change to the password of another account object of the same name.</summary>
    public static async Task ChangePasswordAsync(this TestClient client, TestAccount account, TestAccount changed)
    {
        using var login = OpaqueClientLogin.Start(account.PasswordBytes);
        using var registration = OpaqueClientRegistration.Start(changed.PasswordBytes);
        var challenge = await client.RequestAsync<PasswordChangeChallenge>(
            new StartPasswordChangeRequest(login.Ke1.ToArray(), registration.Request.ToArray()));
        Assert.True(login.TryFinish(
            challenge.Ke2,
            TestClient.Parameters(challenge.Stretching),
            [],
            [],
            LoginProof.OpaqueContext(client.ChannelBinding.Span),
            out var proven));
        using (proven)
        {
            Assert.True(registration.TryFinish(
                challenge.RegistrationResponse, TestClient.Parameters(challenge.NewStretching), [], [], out var result));
            using (result)
            {
                await client.RequestAsync<Done>(new FinishPasswordChangeRequest(
                    proven.Ke3, result.Record, challenge.NewStretching, [], EndOtherSessions: false));
            }
        }
    }
}
