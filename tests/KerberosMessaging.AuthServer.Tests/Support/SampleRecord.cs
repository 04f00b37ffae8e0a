using System.Security.Cryptography;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.AuthServer.Tests.Support;

/// <summary>Registrations without the cost of stretching: records that a server takes and that no password opens.</summary>
internal static class SampleRecord
{
    public static Stretching Stretching => new((byte)StretchingAlgorithm.Argon2id, 3, 64 * 1024);

    /// <summary>An element of the group.</summary>
    public static byte[] Element()
    {
        using var registration = OpaqueClientRegistration.Start("any"u8);
        return registration.Request.ToArray();
    }

    public static byte[] Make() => [.. Element(), .. RandomNumberGenerator.GetBytes(160)];

    public static async Task<ClientRegistered> RegisterAsync(TestClient client, string name)
    {
        await client.RequestAsync<RegistrationChallenge>(new RegisterClientRequest(name, "", Element()));
        return await client.RequestAsync<ClientRegistered>(new FinishRegistrationRequest(name, Make(), Stretching));
    }
}
