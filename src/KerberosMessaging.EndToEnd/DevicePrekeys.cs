using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>
/// The private side of a device's prekeys (PQXDH, section 3.2): one signed X25519 prekey and one signed last-resort
/// ML-KEM-768 prekey, each with an id. The previous of each are kept for messages that were on their way while the
/// prekeys were rotated; what came before them is erased, which is what gives old first messages forward secrecy.
/// <code>
/// export format, current and previous pair alike: signed prekey id (4), X25519 private (32), KEM prekey id (4), ML-KEM seed (64)
///  0             1                    105             169             233            234
///  +-------------+--------------------+---------------+---------------+--------------+- - - - - - - - - - -+
///  | version = 1 | current pair (104) | signature of  | signature of  | has previous | previous pair (104) |
///  |             |                    | signed prekey | KEM prekey    | pair, 0 or 1 | if there is one     |
///  +-------------+--------------------+---------------+---------------+--------------+- - - - - - - - - - -+
/// </code>
/// Not safe for use by several threads at once.
/// </summary>
public sealed class DevicePrekeys : IDisposable
{
    private const byte ExportVersion = 1;

    private PrekeyPair _current;
    private PrekeyPair? _previous;

    private DevicePrekeys(PrekeyPair current, PrekeyBundle bundle, PrekeyPair? previous)
    {
        _current = current;
        _previous = previous;
        Bundle = bundle;
    }

    /// <summary>The public side of the current prekeys, to be published.</summary>
    public PrekeyBundle Bundle { get; private set; }

    /// <summary>Makes the first prekeys of a device.</summary>
    /// <param name="identity">The device's identity, which signs them.</param>
    /// <returns>The prekeys; the caller disposes them.</returns>
    public static DevicePrekeys Generate(DeviceIdentity identity)
    {
        ArgumentNullException.ThrowIfNull(identity);

        // Ids start at random, so that a device that lost its prekeys and made new ones does not mistake a message
        // to a lost prekey for one to a new prekey.
        var current = PrekeyPair.Generate(RandomId(), RandomId());
        return new DevicePrekeys(current, current.Sign(identity), previous: null);
    }

    /// <summary>Restores prekeys from <see cref="Export"/>.</summary>
    /// <param name="exported">The exported bytes.</param>
    /// <returns>The prekeys; the caller disposes them.</returns>
    /// <exception cref="EndToEndException">The bytes are no export of this version.</exception>
    public static DevicePrekeys Import(ReadOnlySpan<byte> exported)
    {
        PrekeyPair? current = null;
        PrekeyPair? previous = null;
        try
        {
            var reader = new StateReader(exported);
            reader.ExpectVersion(ExportVersion);
            current = PrekeyPair.Read(ref reader);
            var bundle = new PrekeyBundle(
                current.SignedPrekeyId,
                current.SignedPrekey.PublicKey.Span,
                reader.ReadBytes(PrekeySignature.Size),
                current.KemPrekeyId,
                current.KemPrekey.PublicKey.Span,
                reader.ReadBytes(PrekeySignature.Size));
            previous = reader.ReadFlag() ? PrekeyPair.Read(ref reader) : null;
            reader.ExpectEnd();
            return new DevicePrekeys(current, bundle, previous);
        }
        catch
        {
            current?.Dispose();
            previous?.Dispose();
            throw;
        }
    }

    /// <summary>Exports the private keys, to be stored encrypted.</summary>
    /// <returns>The bytes; the caller disposes them.</returns>
    public SecretBytes Export()
    {
        var size = 1 + PrekeyPair.ExportSize + (2 * PrekeySignature.Size) + 1 + (_previous is null ? 0 : PrekeyPair.ExportSize);
        var exported = new SecretBytes(size);
        var writer = new StateWriter(exported.Span);
        writer.WriteByte(ExportVersion);
        _current.Write(ref writer);
        writer.WriteBytes(Bundle.SignedPrekeySignature.Span);
        writer.WriteBytes(Bundle.KemPrekeySignature.Span);
        writer.WriteFlag(_previous is not null);
        _previous?.Write(ref writer);
        writer.ExpectEnd();
        return exported;
    }

    /// <summary>
    /// Replaces the prekeys by new ones. The replaced ones stay readable until the next rotation; the ones before them
    /// are erased (PQXDH, section 3.2).
    /// </summary>
    /// <param name="identity">The device's identity, which signs the new prekeys.</param>
    /// <exception cref="EndToEndException">Another identity signed the prekeys before.</exception>
    public void Rotate(DeviceIdentity identity)
    {
        ArgumentNullException.ThrowIfNull(identity);
        if (!Bundle.IsSignedBy(identity.Public))
        {
            throw new EndToEndException("The prekeys belong to another identity.");
        }

        var next = PrekeyPair.Generate(NextId(_current.SignedPrekeyId), NextId(_current.KemPrekeyId));
        Bundle = next.Sign(identity);
        _previous?.Dispose();
        _previous = _current;
        _current = next;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _current.Dispose();
        _previous?.Dispose();
    }

    /// <inheritdoc/>
    public override string ToString() => "[redacted]";

    internal bool TryFindSignedPrekey(uint id, [NotNullWhen(true)] out X25519PrivateKey? signedPrekey)
    {
        signedPrekey = id == _current.SignedPrekeyId ? _current.SignedPrekey
            : id == _previous?.SignedPrekeyId ? _previous.SignedPrekey
            : null;
        return signedPrekey is not null;
    }

    internal bool TryFindKemPrekey(uint id, [NotNullWhen(true)] out MlKem768PrivateKey? kemPrekey)
    {
        kemPrekey = id == _current.KemPrekeyId ? _current.KemPrekey
            : id == _previous?.KemPrekeyId ? _previous.KemPrekey
            : null;
        return kemPrekey is not null;
    }

    private static uint RandomId()
    {
        Span<byte> id = stackalloc byte[sizeof(uint)];
        RandomNumberGenerator.Fill(id);
        return BitConverter.ToUInt32(id);
    }

    private static uint NextId(uint id) => unchecked(id + 1);
}
