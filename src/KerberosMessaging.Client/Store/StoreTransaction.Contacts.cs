using System.Text;
using KerberosMessaging.Protocol;
using Microsoft.Data.Sqlite;

namespace KerberosMessaging.Client.Store;

/// <content>Clients and what is known of them: their names, account keys and home servers.</content>
internal sealed partial class StoreTransaction
{
    private static readonly ContactKey NoKey = new([], [], IsVerified: false);

    private const string NamePlace = "contacts.name";
    private const string KeyPlace = "contacts.key";
    private const int AccountKeySize = 32;

    /// <summary>The client pinned to a name; null for a name never met.</summary>
    public ClientId? FindContact(string name)
    {
        var found = Rows(
            Command("SELECT client, name FROM contacts WHERE tag = $tag", ("$tag", TagOf(name))), ReadContact).ToList();
        return found switch
        {
            [] => null,

            // A tag that was moved finds another client.
            [var (client, sealedName)] when sealedName == name => client,
            _ => throw Damaged(),
        };
    }

    /// <summary>The name pinned to a client; null for a client never met.</summary>
    public string? FindContactName(ClientId client) => Rows(
        Command("SELECT client, name FROM contacts WHERE client = $client", ("$client", Bytes(client.Value))), ReadContact)
        .Select(static contact => contact.Name).FirstOrDefault();

    public void AddContact(ClientId client, string name) => Execute(
        "INSERT INTO contacts (client, tag, name, key) VALUES ($client, $tag, $name, $key)",
        ("$client", Bytes(client.Value)),
        ("$tag", TagOf(name)),
        ("$name", cipher.Seal(NamePlace, Bytes(client.Value), Encoding.UTF8.GetBytes(name))),

        // Sealed although there is none yet: whoever can write the file must not make a pinned key look like one never seen.
        ("$key", SealKey(client, NoKey)));

    /// <summary>All clients ever met, by name.</summary>
    public List<(ClientId Client, string Name)> ListContacts() =>
        Rows(Command("SELECT client, name FROM contacts"), ReadContact)
            .OrderBy(static contact => contact.Name, StringComparer.Ordinal).ToList();

    /// <summary>What is known of a client's account key; nothing of a client never met.</summary>
    public ContactKey GetContactKey(ClientId client) => Rows(
        Command("SELECT key FROM contacts WHERE client = $client", ("$client", Bytes(client.Value))),
        reader => OpenContactKey(client, Blob(reader, 0))).FirstOrDefault() ?? NoKey;

    /// <summary>Replaces what is known of the account key of a contact.</summary>
    public void SetContactKey(ClientId client, ContactKey key)
    {
        if (!IsKeyOrNone(key.Pinned) || !IsKeyOrNone(key.Seen))
        {
            throw new ArgumentException("An account key is 32 bytes, or none.", nameof(key));
        }

        ChangeContact(client, Execute(
            "UPDATE contacts SET key = $key WHERE client = $client",
            ("$client", Bytes(client.Value)),
            ("$key", SealKey(client, key))));
    }

    private byte[] SealKey(ClientId client, ContactKey key) => cipher.Seal(
        KeyPlace,
        Bytes(client.Value),
        [key.IsVerified ? (byte)1 : (byte)0, (byte)key.Pinned.Length, .. key.Pinned, (byte)key.Seen.Length, .. key.Seen]);

    /// <summary>Where a client's mailboxes were when it was last looked up; null when it never was.</summary>
    public ContactRoute? GetRoute(ClientId client) => Rows(
        Command(
            "SELECT home_server, looked_up_at FROM contacts WHERE client = $client AND home_server IS NOT NULL",
            ("$client", Bytes(client.Value))),
        static reader => new ContactRoute(new ServerId(Id(reader, 0)), Time(reader, 1))).FirstOrDefault();

    /// <summary>Remembers where a contact's mailboxes are.</summary>
    public void SetRoute(ClientId client, ContactRoute route) => ChangeContact(client, Execute(
        "UPDATE contacts SET home_server = $server, looked_up_at = $time WHERE client = $client",
        ("$client", Bytes(client.Value)),
        ("$server", Bytes(route.HomeServer.Value)),
        ("$time", route.LookedUpAt.ToUnixTimeMilliseconds())));

    private static bool IsKeyOrNone(ReadOnlySpan<byte> key) => key.Length is 0 or AccountKeySize;

    // A pin that went nowhere would be found missing too late.
    private static void ChangeContact(ClientId client, int changed)
    {
        if (changed == 0)
        {
            throw new InvalidOperationException($"There is no contact {client}.");
        }
    }

    private byte[] TagOf(string name) => cipher.Tag(NamePlace, Encoding.UTF8.GetBytes(name));

    private (ClientId Client, string Name) ReadContact(SqliteDataReader reader)
    {
        var client = new ClientId(Id(reader, 0));
        using var name = cipher.Open(NamePlace, Bytes(client.Value), Blob(reader, 1));
        return (client, Encoding.UTF8.GetString(name.Span));
    }

    private ContactKey OpenContactKey(ClientId client, byte[] value)
    {
        using var opened = cipher.Open(KeyPlace, Bytes(client.Value), value);
        var rest = opened.Span[1..];
        return new ContactKey(Take(ref rest), Take(ref rest), opened.Span[0] != 0);

        static byte[] Take(ref Span<byte> rest)
        {
            var taken = rest.Slice(1, rest[0]).ToArray();
            rest = rest[(1 + taken.Length)..];
            return taken;
        }
    }
}

/// <summary>What is known of a client's account key; a key is 32 bytes, and empty where there is none.</summary>
/// <param name="Pinned">The key that was accepted.</param>
/// <param name="Seen">Another one that was seen since.</param>
/// <param name="IsVerified">Whether the two people compared the safety number over <paramref name="Pinned"/>.</param>
internal sealed record ContactKey(byte[] Pinned, byte[] Seen, bool IsVerified);

/// <summary>Where a client's mailboxes are.</summary>
internal sealed record ContactRoute(ServerId HomeServer, DateTimeOffset LookedUpAt);
