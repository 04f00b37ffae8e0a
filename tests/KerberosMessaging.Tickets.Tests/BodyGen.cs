using System.Text;
using CsCheck;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Tickets.Tests;

/// <summary>Random tickets within the limits of the format.</summary>
internal static class BodyGen
{
    public static readonly Gen<DateTimeOffset> Time =
        Gen.Long[0, 253_402_300_799_999].Select(DateTimeOffset.FromUnixTimeMilliseconds);

    public static readonly Gen<TicketTimes> Times =
        Gen.Select(Time, Time, Time, Time).Select((authenticated, starts, ends, renewable) => new TicketTimes(authenticated, starts, ends, renewable));

    private static readonly string[] OtherScripts = ["zoë", "Ελένη", "😀", new string('é', ProtocolLimits.NameBytes / 2)];

    public static readonly Gen<string> Name = Gen.OneOf(
        Gen.String[Gen.Char.AlphaNumeric, 0, ProtocolLimits.NameBytes],
        Gen.Int[0, 3].Select(i => OtherScripts[i]));

    public static readonly Gen<byte[]> Key = Gen.Byte.Array[SessionKey.Size];

    public static readonly Gen<TicketBody> Body =
        Gen.Select(Gen.Guid, Gen.Guid, Name, Gen.Guid, Key, Times).Select((session, client, name, device, key, times) => new TicketBody
        {
            Session = new SessionId(session),
            Client = new ClientId(client),
            ClientName = name,
            Device = new DeviceId(device),
            SessionKey = new SecretBytes(key),
            Times = times,
        });

    public static bool AreSame(TicketBody sealedBody, TicketBody? opened) =>
        opened is not null
        && opened.Session == sealedBody.Session
        && opened.Client == sealedBody.Client
        && opened.ClientName == sealedBody.ClientName
        && opened.Device == sealedBody.Device
        && opened.SessionKey.Span.SequenceEqual(sealedBody.SessionKey.Span)
        && opened.Times == sealedBody.Times;

    public static int NameBytes(string name) => Encoding.UTF8.GetByteCount(name);
}
