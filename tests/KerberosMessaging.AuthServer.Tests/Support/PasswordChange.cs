using System.Text;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.AuthServer.Tests.Support;

/// <summary>A change of password whose first step was answered.</summary>
internal sealed record PasswordChange(FinishPasswordChangeRequest Finish, PasswordChangeChallenge Challenge)
{
    /// <summary>The first step on a signed-in channel; the second is proven with <paramref name="current"/> or the account's password.</summary>
    public static async Task<PasswordChange> StartAsync(
        TestClient client, QuickAccount account, string newPassword, string? current = null, bool endOtherSessions = false, byte[]? previousKeys = null)
    {
        using var login = OpaqueClientLogin.Start(Encoding.UTF8.GetBytes(current ?? account.Password));
        using var registration = OpaqueClientRegistration.Start(Encoding.UTF8.GetBytes(newPassword));
        var challenge = await client.RequestAsync<PasswordChangeChallenge>(
            new StartPasswordChangeRequest(login.Ke1.ToArray(), registration.Request.ToArray()));
        using var proven = QuickOpaque.Finish(login, challenge.Ke2, client.ChannelBinding);
        using var record = QuickOpaque.Finish(registration, challenge.RegistrationResponse);
        return new PasswordChange(
            new FinishPasswordChangeRequest(
                proven?.Ke3 ?? new byte[64], record.Record, challenge.NewStretching, previousKeys ?? [], endOtherSessions),
            challenge);
    }

    /// <summary>Both steps.</summary>
    public static async Task DoAsync(TestClient client, QuickAccount account, string newPassword, bool endOtherSessions = false)
    {
        await client.RequestAsync<Done>((await StartAsync(client, account, newPassword, endOtherSessions: endOtherSessions)).Finish);
        account.Password = newPassword;
    }
}
