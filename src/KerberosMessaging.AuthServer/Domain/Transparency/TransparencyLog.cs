using System.Buffers.Binary;
using System.Security.Cryptography;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Cryptography;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Domain.Transparency;

/// <summary>
/// Everything that the realm ever said of devices, in a tree that can only grow and whose head it signs: whoever keeps a head can
/// prove later that an entry was removed, changed or put before it. Entries are written in the transaction of what they tell.
/// </summary>
internal sealed class TransparencyLog(AuthDbContext database, RealmKeys keys)
{
    private const int EntrySize = 1 + sizeof(long) + 16 + 16 + sizeof(long) + SHA256.HashSizeInBytes;

    /// <summary>The bytes of an entry, as they are hashed into the tree.</summary>
    /// <remarks>
    /// <code>
    /// kind, 1 byte | time in milliseconds since 1970, 8 | client, 16 | device, 16 | serial, 8 | statement, 32
    /// </code>
    /// Numbers are big-endian. The statement is the SHA-256 of the certificate or of the link; of a removal it is zeros.
    /// </remarks>
    public static byte[] Encode(TransparencyEntryRow entry)
    {
        var bytes = new byte[EntrySize];
        var rest = bytes.AsSpan();
        rest[0] = (byte)entry.Kind;
        BinaryPrimitives.WriteInt64BigEndian(rest[1..], entry.At.ToUnixTimeMilliseconds());
        entry.ClientId.TryWriteBytes(rest[9..], bigEndian: true, out _);
        entry.DeviceId.TryWriteBytes(rest[25..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(rest[41..], entry.Serial);
        entry.Statement.CopyTo(rest[49..]);
        return bytes;
    }

    /// <summary>Adds an entry and signs the new head.</summary>
    /// <param name="scope">The transaction of what is told.</param>
    /// <param name="realm">The realm's key.</param>
    /// <param name="kind">What is told.</param>
    /// <param name="device">Of which device, as it is now.</param>
    public static void Append(WriteScope scope, Ed25519PrivateKey realm, TransparencyKind kind, DeviceRow device)
    {
        var index = (long)(scope.Scalar("""SELECT COALESCE(MAX("Size"), 0) FROM "TransparencyHeads" """) ?? 0L);
        AddEntry(scope, index, kind, device, scope.Now);
        Sign(scope, realm, index + 1);
    }

    /// <summary>Writes what was said before there was a log: of each device once, in the order in which they came.</summary>
    public static void Fill(WriteScope scope, Ed25519PrivateKey realm)
    {
        if (scope.Database.TransparencyHeads.Any())
        {
            return;
        }

        var index = 0L;
        foreach (var device in scope.Database.Devices.AsNoTracking().OrderBy(static row => row.Serial).AsEnumerable())
        {
            AddEntry(scope, index++, TransparencyKind.Certified, device, device.CreatedAt);
            if (device.Link.Length > 0)
            {
                AddEntry(scope, index++, TransparencyKind.Linked, device, scope.Now);
            }

            if (device.RevokedAt is { } removed)
            {
                AddEntry(scope, index++, TransparencyKind.Removed, device, removed);
            }
        }

        if (index > 0)
        {
            Sign(scope, realm, index);
        }
    }

    /// <summary>The heads, newest first.</summary>
    public Task<List<TransparencyHeadRow>> ListHeadsAsync(long before, int limit, CancellationToken cancellationToken) => database.TransparencyHeads
        .AsNoTracking()
        .Where(row => row.Size < before)
        .OrderByDescending(static row => row.Size)
        .Take(limit)
        .ToListAsync(cancellationToken);

    /// <summary>The entries, oldest first.</summary>
    public Task<List<TransparencyEntryRow>> ListEntriesAsync(long after, int limit, CancellationToken cancellationToken) => database.TransparencyEntries
        .AsNoTracking()
        .Where(row => row.Index > after)
        .OrderBy(static row => row.Index)
        .Take(limit)
        .ToListAsync(cancellationToken);

    /// <summary>How many entries there are.</summary>
    public async Task<long> ReadSizeAsync(CancellationToken cancellationToken) =>
        await database.TransparencyHeads.MaxAsync(static row => (long?)row.Size, cancellationToken) ?? 0;

    /// <inheritdoc cref="MerkleTree.InclusionAsync"/>
    public ValueTask<List<byte[]>> ProveInclusionAsync(long leaf, long size, CancellationToken cancellationToken) =>
        MerkleTree.InclusionAsync(leaf, size, Reader(cancellationToken));

    /// <inheritdoc cref="MerkleTree.ConsistencyAsync"/>
    public ValueTask<List<byte[]>> ProveConsistencyAsync(long from, long to, CancellationToken cancellationToken) =>
        MerkleTree.ConsistencyAsync(from, to, Reader(cancellationToken));

    /// <summary>The key that heads are signed with: the one that clients pin by its hash.</summary>
    public ReadOnlyMemory<byte> PublicKey => keys.Realm.PublicKey;

    private ReadNode Reader(CancellationToken cancellationToken) => async (level, index) => await database.TransparencyNodes
        .Where(row => row.Level == level && row.Index == index)
        .Select(static row => row.Hash)
        .SingleAsync(cancellationToken);

    private static void AddEntry(WriteScope scope, long index, TransparencyKind kind, DeviceRow device, DateTimeOffset at)
    {
        var entry = new TransparencyEntryRow
        {
            Index = index,
            At = at,
            Kind = kind,
            ClientId = device.ClientId,
            DeviceId = device.DeviceId,
            Serial = device.Serial,
            Statement = kind switch
            {
                TransparencyKind.Certified => SHA256.HashData(device.Certificate),
                TransparencyKind.Linked => SHA256.HashData(device.Link),
                _ => new byte[SHA256.HashSizeInBytes],
            },
        };
        scope.Execute(
            """
            INSERT INTO "TransparencyEntries" ("Index", "At", "Kind", "ClientId", "DeviceId", "Serial", "Statement")
            VALUES (@0, @1, @2, @3, @4, @5, @6)
            """,
            entry.Index, entry.At, (int)entry.Kind, entry.ClientId, entry.DeviceId, entry.Serial, entry.Statement);

        // A leaf on the right fills its parent, and perhaps that one its own.
        var hash = MerkleTree.HashLeaf(Encode(entry));
        AddNode(scope, level: 0, index, hash);
        for (var level = 0; index % 2 == 1; level++, index /= 2)
        {
            hash = MerkleTree.HashNode(Node(scope, level, index - 1), hash);
            AddNode(scope, level + 1, index / 2, hash);
        }
    }

    private static void Sign(WriteScope scope, Ed25519PrivateKey realm, long size)
    {
        // Reads inside a transaction are answered at once: nothing is waited for here.
        var root = MerkleTree.RootAsync(size, (level, index) => new(Node(scope, level, index))).AsTask().GetAwaiter().GetResult();
        var signature = new byte[Ed25519.SignatureSize];
        realm.Sign(MerkleTree.SignedHead(size, scope.Now, root), signature);
        scope.Execute(
            """INSERT INTO "TransparencyHeads" ("Size", "At", "Root", "Signature") VALUES (@0, @1, @2, @3)""", size, scope.Now, root, signature);
    }

    private static byte[] Node(WriteScope scope, int level, long index) =>
        (byte[])scope.Scalar("""SELECT "Hash" FROM "TransparencyNodes" WHERE "Level" = @0 AND "Index" = @1""", level, index)!;

    private static void AddNode(WriteScope scope, int level, long index, byte[] hash) => scope.Execute(
        """INSERT INTO "TransparencyNodes" ("Level", "Index", "Hash") VALUES (@0, @1, @2)""", level, index, hash);
}
