using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <content>
/// The stored form. A session is described at Session, its ratchet state at DoubleRatchet.
/// <code>
///  0             1           2
///  +-------------+-----------+- - - - - - - - - -+-------------+- - - - - - - - - - - - - - - - - - - - - - - - - -+
///  | version = 2 | sessions  | sessions, the     | retired     | retired: signed prekey id (4), base key (32) each |
///  |             | (1: 0…5)  | active one first  | count (2)   |                                                   |
///  +-------------+-----------+- - - - - - - - - -+-------------+- - - - - - - - - - - - - - - - - - - - - - - - - -+
/// </code>
/// </content>
public sealed partial class PeerSessions : IExported
{
    private const byte ExportVersion = 2;

    /// <summary>Restores a record from <see cref="Export"/>.</summary>
    /// <param name="exported">The exported bytes.</param>
    /// <returns>The record; the caller disposes it.</returns>
    /// <exception cref="EndToEndException">The bytes are no export of this version.</exception>
    public static PeerSessions Import(ReadOnlySpan<byte> exported)
    {
        var imported = new PeerSessions();
        try
        {
            var reader = new StateReader(exported);
            reader.ExpectVersion(ExportVersion);
            var count = reader.ReadByte();
            if (count > MaxSessions)
            {
                throw StateReader.Refused();
            }

            for (var i = 0; i < count; i++)
            {
                imported._sessions.Add(Session.Read(ref reader));
            }

            imported._retired.Read(ref reader);
            reader.ExpectEnd();
            return imported;
        }
        catch
        {
            imported.Dispose();
            throw;
        }
    }

    /// <summary>Exports the state, to be stored encrypted. It replaces every older export: an old one must not be used again.</summary>
    /// <returns>The bytes; the caller disposes them.</returns>
    public SecretBytes Export() => StateWriter.Export(this);

    void IExported.Write(ref StateWriter writer)
    {
        writer.WriteByte(ExportVersion);
        writer.WriteByte((byte)_sessions.Count);
        foreach (var session in _sessions)
        {
            session.Write(ref writer);
        }

        _retired.Write(ref writer);
    }
}
