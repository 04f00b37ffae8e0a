using System.Diagnostics.CodeAnalysis;
using KerberosMessaging.Hosting.Admin;
using Microsoft.AspNetCore.Http.HttpResults;

namespace KerberosMessaging.MessageServer.Admin;

/// <summary>
/// Picks what an admin means by a device's id. Devices choose their ids, so two clients could have the same one: nothing is done to either then,
/// unless the client is named too.
/// </summary>
internal static class DeviceLookup
{
    public static bool TryPick<T>(
        IEnumerable<T> found, Func<T, Guid> clientOf, Guid? client, [NotNullWhen(true)] out T? picked, [NotNullWhen(false)] out ProblemHttpResult? problem)
        where T : class
    {
        var rows = found.Where(row => client is null || clientOf(row) == client).ToArray();
        picked = rows.Length == 1 ? rows[0] : null;
        problem = rows.Length switch
        {
            1 => null,
            0 => AdminResults.Problem(StatusCodes.Status404NotFound, ProblemCodes.NotFound, "No device with this id has a mailbox here."),
            _ => AdminResults.Conflict("More than one client has a device with this id: name the client too."),
        };
        return picked is not null;
    }
}
