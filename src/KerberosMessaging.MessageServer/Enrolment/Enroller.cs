using System.Data.Common;
using System.Security.Cryptography;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.MessageServer.Persistence;
using KerberosMessaging.MessageServer.Realm;
using KerberosMessaging.Transport;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.MessageServer.Enrolment;

/// <summary>
/// One try to become a member of the realm, or to become it anew. The key that goes with a token is on disk before the auth
/// server is asked, and the same token always goes with the same key: whatever is lost between the auth server's commit and
/// this server's, the next try gets the same answer.
/// </summary>
internal sealed class Enroller(EnrolmentClient client, EnrolmentFiles files, ServerIdentityStore store, Membership membership)
{
    // Tokens that made this server another one. A refused one is tried again: the server may only be disabled for now.
    private readonly HashSet<string> _foreign = [];

    /// <summary>Makes this server a member of the realm that the options name.</summary>
    /// <exception cref="EnrolmentException">It did not succeed; the message says why.</exception>
    public async Task EnrolAsync(CancellationToken cancellationToken)
    {
        var fingerprint = await files.ReadFingerprintAsync(cancellationToken);
        var token = await files.ReadTokenAsync(cancellationToken);
        await EnrolAsync(token, key => RealmFingerprint.IsOf(fingerprint, key), expected: null, cancellationToken);
    }

    /// <summary>
    /// Makes this server a member again, with its id and its mailboxes, if there is a token that may do that.
    /// </summary>
    /// <returns>False when there is none.</returns>
    /// <exception cref="EnrolmentException">It did not succeed; the message says why.</exception>
    public async Task<bool> TryEnrolAnewAsync(EnrolledServer own, CancellationToken cancellationToken)
    {
        if (await files.TryReadTokenAsync(cancellationToken) is not { } token)
        {
            return false;
        }

        var hash = EnrolmentClient.Hash(token);
        if ((own.TokenHash is { } used && used.AsSpan().SequenceEqual(hash)) || _foreign.Contains(Convert.ToHexString(hash)))
        {
            return false;
        }

        await EnrolAsync(token, key => key.SequenceEqual(own.RealmKey), own, cancellationToken);
        return true;
    }

    private async Task EnrolAsync(string token, SigningKeyCheck isRealm, EnrolledServer? expected, CancellationToken cancellationToken)
    {
        var signingKey = await StoredAsync(() => store.BeginEnrolmentAsync(EnrolmentClient.Hash(token), cancellationToken));
        EnrolledServer? enrolled = null;
        try
        {
            enrolled = await client.EnrolAsync(token, signingKey, isRealm, cancellationToken);
            if (expected is not null && enrolled.Server != expected.Server)
            {
                _foreign.Add(Convert.ToHexString(EnrolmentClient.Hash(token)));
                throw new EnrolmentException(
                    $"the enrolment token was not made for this server, and is spent: make one for server {expected.Server}, "
                    + $"and remove server {enrolled.Server}, which nobody is, at the auth server",
                    needsOperator: true);
            }

            await StoredAsync(async () =>
            {
                await store.SaveAsync(enrolled, cancellationToken);
                return enrolled;
            });
        }
        catch
        {
            enrolled?.Keys.Dispose();
            signingKey.Dispose();
            throw;
        }

        membership.Assume(enrolled);
    }

    private static async Task<T> StoredAsync<T>(Func<Task<T>> store)
    {
        try
        {
            return await store();
        }
        catch (Exception e) when (e is DbException or DbUpdateException or CryptographicException)
        {
            throw new EnrolmentException($"the keys could not be stored: {e.GetBaseException().Message}", needsOperator: false, e);
        }
    }
}
