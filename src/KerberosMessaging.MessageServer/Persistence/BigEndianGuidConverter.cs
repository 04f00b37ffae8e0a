using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace KerberosMessaging.MessageServer.Persistence;

/// <summary>Identifiers are stored as the 16 bytes that go on the wire, so that they sort and read alike everywhere.</summary>
internal sealed class BigEndianGuidConverter() : ValueConverter<Guid, byte[]>(
    static id => id.ToByteArray(true), static bytes => new Guid(bytes, true));
