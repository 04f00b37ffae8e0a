using KerberosMessaging.Client.Connections;
using KerberosMessaging.Client.Store;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;
using KerberosMessaging.Transport;

namespace KerberosMessaging.Client.Accounts;

/// <summary>
/// Puts a new OPAQUE record in the place of the current one, on the signed-in channel: for another password, or for the same.
/// The realm has it first and the store is sealed under the new export key after that. In between, and on the client's other
/// devices, the store opens with the former key, which the realm keeps sealed under the new one.
/// </summary>
internal sealed class RecordChange(AuthSession auth, LocalStore store, MessagingOptions options)
{
    /// <param name="current">The current password.</param>
    /// <param name="replacement">The new password; the current one for a new record alone.</param>
    /// <param name="endOtherSessions">Whether all other sessions of the client end.</param>
    /// <param name="checkLength">Whether the realm's shortest password applies.</param>
    /// <param name="cancellationToken">Ends the wait; the record may be changed all the same.</param>
    public async Task RunAsync(
        SecretBytes current, SecretBytes replacement, bool endOtherSessions, bool checkLength, CancellationToken cancellationToken)
    {
        using var prepared = await Retry.RunAsync(
            options,
            token => auth.UseAsync(
                connection => PrepareAsync(connection, current, replacement, endOtherSessions, checkLength, token), token),
            cancellationToken).ConfigureAwait(false);
        await SendAsync(prepared, cancellationToken).ConfigureAwait(false);
        store.TrySealUnder(prepared.NewKey, prepared.FormerKeys);
    }

    private static async Task<Prepared> PrepareAsync(
        RequestConnection connection,
        SecretBytes current,
        SecretBytes replacement,
        bool endOtherSessions,
        bool checkLength,
        CancellationToken cancellationToken)
    {
        using var login = OpaqueClientLogin.Start(current.Span);
        using var registration = OpaqueClientRegistration.Start(replacement.Span);
        var challenge = await connection.RequestAsync<PasswordChangeChallenge>(
            new StartPasswordChangeRequest(login.Ke1.ToArray(), registration.Request.ToArray()), cancellationToken).ConfigureAwait(false);
        if (checkLength)
        {
            NewPassword.RefuseIfShort(replacement, challenge.MinimumPasswordLength);
        }

        var context = LoginProof.OpaqueContext(connection.Channel.ChannelBinding.Span);
        if (!login.TryFinish(challenge.Ke2, AcceptedStretching.Of(challenge.Stretching), [], [], context, out var proven))
        {
            throw WrongPassword();
        }

        using var made = NewPassword.MakeRecord(registration, challenge.RegistrationResponse, challenge.NewStretching);
        using (proven)
        {
            // A list that does not open holds nothing for anybody; the change must not fail for it.
            using var previous = PreviousKeys.TryOpen(challenge.PreviousKeys, proven.ExportKey);
            SecretBytes[] former = [proven.ExportKey.Clone(), .. previous?.Keys.Select(static key => key.Clone()) ?? []];
            return new Prepared(
                connection,
                new FinishPasswordChangeRequest(
                    proven.Ke3, made.Record, challenge.NewStretching, PreviousKeys.Seal(made.ExportKey, former), endOtherSessions),
                made.ExportKey.Clone(),
                former);
        }
    }

    // Once: a second try would prove a password that may be the current one no more.
    private async Task SendAsync(Prepared prepared, CancellationToken cancellationToken)
    {
        try
        {
            await Retry.OnceAsync(
                options,
                token => Failures.TranslateAsync(
                    auth.ServerText, () => prepared.Connection.RequestAsync<Done>(prepared.Request, token)),
                cancellationToken).ConfigureAwait(false);
        }
        catch (MessagingException e) when (e.Failure == MessagingFailure.Unreachable)
        {
            throw new MessagingException(
                MessagingFailure.Unreachable, "the realm did not answer: the password is now either the old one or the new one", e);
        }
        catch (MessagingException e) when (e.Failure == MessagingFailure.LoginFailed)
        {
            throw WrongPassword(e);
        }
    }

    private static MessagingException WrongPassword(Exception? e = null) => new(
        MessagingFailure.LoginFailed, "the current password is wrong", e);

    /// <summary>A change that is ready to be sent on the connection that it was begun on.</summary>
    private sealed record Prepared(
        RequestConnection Connection, FinishPasswordChangeRequest Request, SecretBytes NewKey, IReadOnlyList<SecretBytes> FormerKeys) : IDisposable
    {
        public void Dispose()
        {
            NewKey.Dispose();
            foreach (var key in FormerKeys)
            {
                key.Dispose();
            }
        }
    }
}
