using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Client.Accounts;

/// <summary>The client's side of an OPAQUE registration (RFC 9807, section 5), for a new client or for a new record.</summary>
internal static class NewPassword
{
    /// <summary>Refuses a password that the realm calls too short. No server can check that.</summary>
    /// <param name="password">The password in UTF-8, form NFC.</param>
    /// <param name="minimum">Fewest Unicode code points.</param>
    /// <exception cref="MessagingException">It is too short.</exception>
    public static void RefuseIfShort(SecretBytes password, ushort minimum)
    {
        // Every code point has one byte that is not of the form 10xxxxxx.
        var length = 0;
        foreach (var b in password.Span)
        {
            length += (b & 0xC0) == 0x80 ? 0 : 1;
        }

        if (length < minimum)
        {
            throw new MessagingException(
                MessagingFailure.PasswordTooShort, $"the password is too short: the realm asks for at least {minimum} characters");
        }
    }

    /// <summary>Makes the record to store.</summary>
    /// <exception cref="MessagingException">The stretching is not acceptable.</exception>
    /// <exception cref="ProtocolException">The response is not well-formed.</exception>
    public static OpaqueRegistrationResult MakeRecord(OpaqueClientRegistration registration, byte[] response, Stretching stretching) =>
        registration.TryFinish(response, AcceptedStretching.Of(stretching), [], [], out var result)
            ? result
            : throw new ProtocolException(ProtocolError.Malformed, "The registration response is not well-formed.");
}
