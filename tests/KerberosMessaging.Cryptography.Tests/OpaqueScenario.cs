namespace KerberosMessaging.Cryptography.Tests;

/// <summary>A server with one registered account, without the cost of stretching.</summary>
internal sealed class OpaqueScenario : IDisposable
{
    public static readonly StretchingParameters NoStretching = new(StretchingAlgorithm.Identity, 0, 0);

    public OpaqueScenario()
    {
        var (oprfSeed, privateKey) = OpaqueServer.GenerateKeys();
        using (oprfSeed)
        using (privateKey)
        {
            OprfSeed = oprfSeed.Span.ToArray();
            Server = new OpaqueServer(oprfSeed.Span, privateKey.Span);
        }

        using var registration = OpaqueClientRegistration.Start(Password);
        var response = new byte[Opaque.RegistrationResponseSize];
        Assert.True(Server.TryCreateRegistrationResponse(registration.Request.Span, Account, response));
        Assert.True(registration.TryFinish(
            response, NoStretching, ServerIdentity, ClientIdentity, Bytes.Random(32), out var result));
        using (result)
        {
            Record = result.Record;
            ExportKey = result.ExportKey.Span.ToArray();
        }
    }

    public static byte[] Password => "correct horse"u8.ToArray();

    public static byte[] Account => "account-7"u8.ToArray();

    public static byte[] ServerIdentity => "realm.example"u8.ToArray();

    public static byte[] ClientIdentity => "alice"u8.ToArray();

    public static byte[] Context => "kmsg/25"u8.ToArray();

    public OpaqueServer Server { get; }

    public byte[] OprfSeed { get; }

    public byte[] Record { get; }

    public byte[] ExportKey { get; }

    public OpaqueServerLogin Answer(ReadOnlySpan<byte> ke1, byte[]? record = null)
    {
        Assert.True(Server.TryStartLogin(
            record ?? Record, ke1, Account, ServerIdentity, ClientIdentity, Context, out var login));
        return login;
    }

    public static bool TryFinish(OpaqueClientLogin client, ReadOnlySpan<byte> ke2, out OpaqueLoginResult? result) =>
        client.TryFinishUnchecked(ke2, NoStretching, ServerIdentity, ClientIdentity, Context, out result);

    public void Dispose() => Server.Dispose();
}
