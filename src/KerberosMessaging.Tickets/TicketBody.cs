using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Tickets;

/// <summary>What a ticket says, sealed to the server that it is for (RFC 4120, section 5.3 EncTicketPart).</summary>
public sealed class TicketBody : IDisposable
{
    private const byte FormatVersion = 1;

    /// <summary>The session row at the auth server that the ticket hangs on.</summary>
    public required SessionId Session { get; init; }

    /// <summary>The client that the ticket names.</summary>
    public required ClientId Client { get; init; }

    /// <summary>The client's name as registered.</summary>
    public required string ClientName { get; init; }

    /// <summary>The device that logged in.</summary>
    public required DeviceId Device { get; init; }

    /// <summary>The session key, 32 bytes; disposed of with the ticket.</summary>
    public required SecretBytes SessionKey { get; init; }

    /// <summary>When the ticket may be used.</summary>
    public required TicketTimes Times { get; init; }

    /// <summary>Zeroes the session key.</summary>
    public void Dispose() => SessionKey.Dispose();

    /// <summary>Names the ids alone.</summary>
    public override string ToString() => $"ticket of session {Session}";

    internal byte[] Seal(ReadOnlySpan<byte> key, string label, ReadOnlySpan<byte> associatedData)
    {
        using var buffer = SealedWriter.Rent();
        var writer = new WireWriter(buffer);
        writer.WriteU8(FormatVersion);
        writer.WriteId(Session.Value);
        writer.WriteId(Client.Value);
        writer.WriteText(ClientName);
        writer.WriteId(Device.Value);
        writer.WriteFixed(SessionKey.Span, Tickets.SessionKey.Size);
        Times.Write(writer);
        return TicketKeys.Seal(key, label, buffer.Written, associatedData);
    }

    internal static TicketBody? TryOpen(
        ReadOnlySpan<byte> key,
        string label,
        ReadOnlySpan<byte> sealedBody,
        ReadOnlySpan<byte> associatedData) => SealedPart.TryOpen(key, label, sealedBody, associatedData, Read);

    private static TicketBody? Read(ref WireReader reader) => reader.ReadU8() != FormatVersion
        ? null
        : new TicketBody
        {
            Session = new SessionId(reader.ReadId()),
            Client = new ClientId(reader.ReadId()),
            ClientName = reader.ReadText(ProtocolLimits.NameBytes),
            Device = new DeviceId(reader.ReadId()),
            SessionKey = SealedPart.ReadSecret(ref reader, Tickets.SessionKey.Size),
            Times = TicketTimes.Read(ref reader),
        };
}
