using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>Why a registration failed.</summary>
internal enum RegistrationFailure
{
    NameTaken,
    NameInvalid,
    StretchingRefused,
    RecordRefused,
}

/// <summary>Registers clients (RFC 9807, section 5): the server never sees anything that a password can be tried on without its seed.</summary>
internal sealed class RegistrationService(
    AuthDbContext database,
    RealmKeys keys,
    IOptions<AuthOptions> options,
    TimeProvider time)
{
    /// <summary>Answers the blinded element; the failure when there is one.</summary>
    public async Task<RegistrationFailure?> StartAsync(
        string name,
        byte[] request,
        byte[] response,
        CancellationToken cancellationToken)
    {
        if (!ClientName.TryParse(name, out var parsed))
        {
            return RegistrationFailure.NameInvalid;
        }

        if (await database.Clients.AnyAsync(row => row.NameKey == parsed.Key, cancellationToken))
        {
            return RegistrationFailure.NameTaken;
        }

        return keys.Opaque.TryCreateRegistrationResponse(request, parsed.CredentialIdentifier, response)
            ? null
            : RegistrationFailure.RecordRefused;
    }

    public StretchingParameters Stretching => options.Value.StretchingParameters;

    public ushort MinimumPasswordLength => (ushort)options.Value.MinimumPasswordLength;

    /// <summary>Stores the record under the name; of two that come at once, the unique index lets one in.</summary>
    public async Task<(ClientId Client, RegistrationFailure? Failure)> FinishAsync(
        string name,
        byte[] record,
        StretchingParameters stretching,
        CancellationToken cancellationToken)
    {
        if (!ClientName.TryParse(name, out var parsed))
        {
            return (default, RegistrationFailure.NameInvalid);
        }

        if (stretching != Stretching)
        {
            return (default, RegistrationFailure.StretchingRefused);
        }

        if (!Opaque.IsWellFormedRecord(record))
        {
            return (default, RegistrationFailure.RecordRefused);
        }

        var client = ClientId.New();
        database.Clients.Add(new ClientRow
        {
            Id = client.Value,
            Name = parsed.Display,
            NameKey = parsed.Key,
            OpaqueRecord = record,
            StretchingAlgorithm = stretching.Algorithm,
            StretchingIterations = stretching.Iterations,
            StretchingMemoryKiB = stretching.MemoryKiB,
            CreatedAt = time.GetUtcNow(),
        });
        try
        {
            await database.SaveChangesAsync(cancellationToken);
            return (client, null);
        }
        catch (DbUpdateException e) when (UniqueViolation.Is(e))
        {
            return (default, RegistrationFailure.NameTaken);
        }
    }
}
