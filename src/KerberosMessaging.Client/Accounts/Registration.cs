using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;

namespace KerberosMessaging.Client.Accounts;

/// <summary>A registration, with or without a one-time token: of a new client, or of an existing one whose password is reset.</summary>
internal static class Registration
{
    public static async Task<ClientId> RunAsync(
        RequestConnection connection,
        string name,
        string token,
        SecretBytes password,
        CancellationToken cancellationToken)
    {
        using var registration = OpaqueClientRegistration.Start(password.Span);
        var reply = await connection.RequestAsync(
            new RegisterClientRequest(name, token, registration.Request.ToArray()), cancellationToken).ConfigureAwait(false);
        var challenge = reply.As<RegistrationChallenge>() ?? throw Refusal(reply);
        NewPassword.RefuseIfShort(password, challenge.MinimumPasswordLength);
        using (var made = NewPassword.MakeRecord(registration, challenge.RegistrationResponse, challenge.Stretching))
        {
            reply = await connection.RequestAsync(
                new FinishRegistrationRequest(name, made.Record, challenge.Stretching), cancellationToken).ConfigureAwait(false);
        }

        return (reply.As<ClientRegistered>() ?? throw Refusal(reply)).Client;
    }

    /// <summary>Gives a token back if it can be sent at all.</summary>
    /// <exception cref="MessagingException">It cannot, so it is none.</exception>
    public static string CheckToken(string token) => ClientNames.IsWellFormed(token)
        && System.Text.Encoding.UTF8.GetByteCount(token) <= ProtocolLimits.TokenBytes
            ? token
            : throw Refusal(RegistrationRefusal.InviteRefused);

    private static Exception Refusal(WireReply reply) => reply.As<RegistrationRefused>() is { } refused
        ? Refusal(refused.Reason)
        : new ProtocolException(ProtocolError.Malformed, "The reply is of an unexpected kind.");

    private static MessagingException Refusal(RegistrationRefusal reason) => reason switch
    {
        RegistrationRefusal.NameTaken => new MessagingException(MessagingFailure.NameTaken, "the name is taken, or looks like one that is"),
        RegistrationRefusal.NameInvalid => new MessagingException(
            MessagingFailure.NameInvalid,
            "the name is not allowed: it starts with a letter or digit and goes on with letters and digits of one script, '.', '_' and '-'"),
        RegistrationRefusal.Closed => new MessagingException(
            MessagingFailure.RegistrationClosed, "the realm takes no registrations"),
        RegistrationRefusal.InviteRefused => new MessagingException(
            MessagingFailure.InviteRefused,
            "the realm asks for a one-time token, and there is none or it is not good: unknown, used, expired or made for another name"),
        _ => new MessagingException(MessagingFailure.RegistrationRefused, $"the realm refused the registration ({reason})"),
    };
}
