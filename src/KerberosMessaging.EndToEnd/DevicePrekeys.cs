using System.Security.Cryptography;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>
/// The private side of a device's prekeys (PQXDH, section 3.2): one signed X25519 prekey and one signed last-resort
/// ML-KEM-768 prekey, each with an id, and one-time prekeys of both kinds. The previous signed pair is kept for messages that were
/// on their way while the prekeys were rotated; what came before it is erased, which is what gives old first messages forward secrecy.
/// <code>
/// export format
///  version = 2 (1), rotated at (8, Unix seconds), current pair (104), bundle (1352), has previous pair (1: 0 or 1), previous pair (104),
///  newest one-time id (4), one-time X25519 prekeys, one-time ML-KEM-768 prekeys, each: count (2), count × [id (4), secret]
///  pair: signed prekey id (4), X25519 private key (32), KEM prekey id (4), ML-KEM-768 seed (64)
///  secret: X25519 private key (32) or ML-KEM-768 seed (64)
/// </code>
/// Not safe for use by several threads at once.
/// </summary>
public sealed class DevicePrekeys : IDisposable, IExported
{
    /// <summary>How long a signed prekey is current. It stays readable for as long again.</summary>
    public static readonly TimeSpan RotationPeriod = TimeSpan.FromDays(7);

    private const byte ExportVersion = 2;

    private readonly OneTimePrekeys _oneTime = new(X25519PrivateKey.Size);
    private readonly OneTimePrekeys _oneTimeKem = new(MlKem768PrivateKey.SeedSize);

    private PrekeyPair _current;
    private PrekeyPair? _previous;

    private DevicePrekeys(PrekeyPair current, PrekeyBundle bundle, PrekeyPair? previous, DateTimeOffset rotatedAt)
    {
        _current = current;
        _previous = previous;
        Bundle = bundle;
        RotatedAt = rotatedAt;
    }

    /// <summary>The public side of the current signed prekeys, to be published.</summary>
    public PrekeyBundle Bundle { get; private set; }

    /// <summary>When the current signed prekeys were made, in whole seconds once exported.</summary>
    public DateTimeOffset RotatedAt { get; private set; }

    /// <summary>The id of the newest one-time prekey of either kind; 0 before there was one.</summary>
    public uint NewestOneTimeId { get; private set; }

    /// <summary>Whether a session was started with a one-time prekey since these were made or imported, so that they must be stored.</summary>
    public bool IsChanged { get; private set; }

    /// <summary>Makes the first prekeys of a device, without one-time prekeys.</summary>
    /// <param name="identity">The device's identity, which signs them.</param>
    /// <param name="now">The time.</param>
    /// <returns>The prekeys; the caller disposes them.</returns>
    public static DevicePrekeys Generate(DeviceIdentity identity, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(identity);

        // Ids start at random, so that a device that lost its prekeys and made new ones does not mistake a message
        // to a lost prekey for one to a new prekey.
        var (current, bundle) = PrekeyPair.Generate(RandomId(), RandomId(), identity);
        return new DevicePrekeys(current, bundle, previous: null, now);
    }

    /// <summary>Restores prekeys from <see cref="Export"/>.</summary>
    /// <param name="exported">The exported bytes.</param>
    /// <returns>The prekeys; the caller disposes them.</returns>
    /// <exception cref="EndToEndException">The bytes are no export of this version.</exception>
    public static DevicePrekeys Import(ReadOnlySpan<byte> exported)
    {
        var reader = new StateReader(exported);
        reader.ExpectVersion(ExportVersion);
        var rotatedAt = reader.ReadTime();
        var current = PrekeyPair.Read(ref reader);
        var bundle = PrekeyBundle.TryRead(reader.ReadBytes(PrekeyBundle.Size), out var read) ? read : throw StateReader.Refused();
        var prekeys = new DevicePrekeys(current, bundle, reader.ReadFlag() ? PrekeyPair.Read(ref reader) : null, rotatedAt)
        {
            NewestOneTimeId = reader.ReadUInt32(),
        };
        prekeys._oneTime.Read(ref reader);
        prekeys._oneTimeKem.Read(ref reader);
        reader.ExpectEnd();
        return prekeys;
    }

    /// <summary>Exports the private keys, to be stored encrypted.</summary>
    /// <returns>The bytes; the caller disposes them.</returns>
    public SecretBytes Export() => StateWriter.Export(this);

    /// <summary>Whether the signed prekeys have served their time. A clock that was far off once delays that by one period at most.</summary>
    /// <param name="now">The time.</param>
    /// <returns>Whether <see cref="Rotate"/> is due.</returns>
    public bool IsRotationDue(DateTimeOffset now) => (now - RotatedAt).Duration() >= RotationPeriod;

    /// <summary>
    /// Replaces the signed prekeys by new ones. The replaced ones stay readable until the next rotation; the ones before them
    /// are erased (PQXDH, section 3.2).
    /// </summary>
    /// <param name="identity">The device's identity, which signs the new prekeys.</param>
    /// <param name="now">The time.</param>
    /// <exception cref="EndToEndException">Another identity signed the prekeys before.</exception>
    public void Rotate(DeviceIdentity identity, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(identity);
        if (!Bundle.IsSignedBy(identity.Public))
        {
            throw new EndToEndException("The prekeys belong to another identity.");
        }

        _previous?.Dispose();
        _previous = _current;
        (_current, Bundle) = PrekeyPair.Generate(NextId(_current.SignedPrekeyId), NextId(_current.KemPrekeyId), identity);
        RotatedAt = now;
    }

    /// <summary>Makes one-time prekeys, of each kind so many. Their ids are above all before.</summary>
    /// <param name="x25519">How many X25519 keys.</param>
    /// <param name="mlKem768">How many ML-KEM-768 keys.</param>
    /// <exception cref="EndToEndException">There are no more ids.</exception>
    public void AddOneTime(int x25519, int mlKem768)
    {
        for (var i = 0; i < x25519; i++)
        {
            using var key = X25519PrivateKey.Generate();
            _oneTime.Add(NextOneTimeId(), key.Export());
        }

        for (var i = 0; i < mlKem768; i++)
        {
            _oneTimeKem.Add(NextOneTimeId(), SecretBytes.Random(MlKem768PrivateKey.SeedSize));
        }
    }

    /// <summary>The public halves of the X25519 one-time prekeys with ids above one, which a server may not have yet.</summary>
    /// <param name="id">The highest id that the server knows.</param>
    /// <returns>The keys, oldest first.</returns>
    public IReadOnlyList<OneTimePublicPrekey> X25519Above(uint id) => [.. _oneTime.Above(id).Select(static entry =>
    {
        using var key = X25519PrivateKey.FromBytes(entry.Secret.Span);
        return new OneTimePublicPrekey(entry.Id, key.PublicKey);
    })];

    /// <summary>The public halves of the ML-KEM-768 one-time prekeys with ids above one, signed.</summary>
    /// <param name="id">The highest id that the server knows.</param>
    /// <param name="identity">The device's identity, which signs them.</param>
    /// <returns>The keys, oldest first.</returns>
    public IReadOnlyList<OneTimePublicPrekey> MlKem768Above(uint id, DeviceIdentity identity) => [.. _oneTimeKem.Above(id).Select(entry =>
    {
        using var key = MlKem768PrivateKey.FromSeed(entry.Secret.Span);
        return new OneTimePublicPrekey(
            entry.Id,
            (byte[])[.. key.PublicKey.Span, .. PrekeySignature.Create(identity, Labels.OneTimeKemPrekey, entry.Id, key.PublicKey.Span)]);
    })];

    /// <summary>
    /// Erases all one-time prekeys and goes on with ids above one: for a device that was put back to an earlier state, whose keys may
    /// have been used since.
    /// </summary>
    /// <param name="id">The highest id known of.</param>
    public void RestartOneTime(uint id)
    {
        _oneTime.Clear();
        _oneTimeKem.Clear();
        NewestOneTimeId = Math.Max(NewestOneTimeId, id);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _current.Dispose();
        _previous?.Dispose();
        _oneTime.Dispose();
        _oneTimeKem.Dispose();
    }

    /// <inheritdoc/>
    public override string ToString() => "[redacted]";

    void IExported.Write(ref StateWriter writer)
    {
        writer.WriteByte(ExportVersion);
        writer.WriteTime(RotatedAt);
        _current.Write(ref writer);
        writer.WriteBytes(Bundle.ToBytes());
        writer.WriteFlag(_previous is not null);
        _previous?.Write(ref writer);
        writer.WriteUInt32(NewestOneTimeId);
        _oneTime.Write(ref writer);
        _oneTimeKem.Write(ref writer);
    }

    internal bool HasSignedPrekey(uint id) => FindPair(pair => pair.SignedPrekeyId == id) is not null;

    /// <summary>The private keys that a session was started with. False where one of them is not held (any more).</summary>
    internal bool TryFind(PrekeyIds ids, out PrekeySecrets secrets)
    {
        var signedPrekey = FindPair(pair => pair.SignedPrekeyId == ids.SignedPrekey)?.SignedPrekey;
        var oneTimePrekey = ids.OneTimePrekey == 0 ? null : _oneTime.Find(ids.OneTimePrekey);
        var kemSeed = ids.KemPrekeyKind == KemPrekeyKind.OneTime
            ? _oneTimeKem.Find(ids.KemPrekey)
            : FindPair(pair => pair.KemPrekeyId == ids.KemPrekey)?.KemSeed;
        if (signedPrekey is null || kemSeed is null || (ids.OneTimePrekey != 0 && oneTimePrekey is null))
        {
            secrets = default;
            return false;
        }

        secrets = new PrekeySecrets(signedPrekey, oneTimePrekey, kemSeed);
        return true;
    }

    /// <summary>Erases the one-time prekeys among those that a session was started with (PQXDH, section 3.4).</summary>
    internal void Use(PrekeyIds ids)
    {
        if (ids.OneTimePrekey != 0)
        {
            _oneTime.Remove(ids.OneTimePrekey);
            IsChanged = true;
        }

        if (ids.KemPrekeyKind == KemPrekeyKind.OneTime)
        {
            _oneTimeKem.Remove(ids.KemPrekey);
            IsChanged = true;
        }
    }

    // A server that lies about the newest id it knows can bring the ids to their end, but not make them start again.
    private uint NextOneTimeId() => NewestOneTimeId == uint.MaxValue
        ? throw new EndToEndException("The ids of one-time prekeys are used up.")
        : ++NewestOneTimeId;

    private PrekeyPair? FindPair(Func<PrekeyPair, bool> matches) =>
        matches(_current) ? _current : _previous is not null && matches(_previous) ? _previous : null;

    private static uint RandomId()
    {
        Span<byte> id = stackalloc byte[sizeof(uint)];
        RandomNumberGenerator.Fill(id);
        return BitConverter.ToUInt32(id);
    }

    private static uint NextId(uint id) => unchecked(id + 1);
}
