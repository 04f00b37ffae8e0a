using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using Microsoft.Data.Sqlite;

namespace KerberosMessaging.Client.Store;

/// <summary>What can be read and changed within one transaction of the local store.</summary>
internal sealed partial class StoreTransaction(SqliteConnection connection, SqliteTransaction transaction, StoreCipher cipher)
{
    public SecretBytes? GetSetting(string name)
    {
        using var command = Command("SELECT value FROM settings WHERE name = $name", ("$name", name));
        return command.ExecuteScalar() is byte[] value ? cipher.Open($"settings.{name}", [], value) : null;
    }

    public void SetSetting(string name, ReadOnlySpan<byte> value) => Execute(
        "INSERT INTO settings (name, value) VALUES ($name, $value) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        ("$name", name),
        ("$value", cipher.Seal($"settings.{name}", [], value)));

    public void RemoveSettings(string prefix) =>
        Execute("DELETE FROM settings WHERE substr(name, 1, length($prefix)) = $prefix", ("$prefix", prefix));

    public List<string> ListSettings(string prefix) => Rows(
        Command("SELECT name FROM settings WHERE substr(name, 1, length($prefix)) = $prefix ORDER BY name", ("$prefix", prefix)),
        static reader => reader.GetString(0)).ToList();

    internal static byte[] Bytes(Guid id) => id.ToByteArray(bigEndian: true);

    internal static byte[] Row(ClientId client, DeviceId device) => [.. Bytes(client.Value), .. Bytes(device.Value)];

    internal static byte[] Row(ClientId client, MessageId message) => [.. Bytes(client.Value), .. Bytes(message.Value)];

    // Columns of SQLite hold what they like, and not all are sealed: each is judged here.
    internal static Guid Id(SqliteDataReader reader, int column) =>
        reader.GetValue(column) is byte[] { Length: 16 } bytes ? new Guid(bytes, bigEndian: true) : throw Damaged();

    internal static byte[] Blob(SqliteDataReader reader, int column) => reader.GetValue(column) as byte[] ?? throw Damaged();

    internal static string Text(SqliteDataReader reader, int column) => reader.GetValue(column) as string ?? throw Damaged();

    internal static long Number(SqliteDataReader reader, int column) =>
        reader.GetValue(column) is long number ? number : throw Damaged();

    internal static bool Flag(SqliteDataReader reader, int column) => Number(reader, column) switch
    {
        0 => false,
        1 => true,
        _ => throw Damaged(),
    };

    internal static DateTimeOffset Time(SqliteDataReader reader, int column) => Number(reader, column) switch
    {
        var milliseconds and >= 0 and <= 253_402_300_799_999 => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds),
        _ => throw Damaged(),
    };

    internal static DateTimeOffset? OptionalTime(SqliteDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : Time(reader, column);

    internal static IOException Damaged() => new("it is damaged");

    /// <summary>The rows that a command gives, one after the other; the command goes with the enumeration.</summary>
    internal static IEnumerable<T> Rows<T>(SqliteCommand command, Func<SqliteDataReader, T> read)
    {
        using (command)
        {
            using var reader = command.ExecuteReader();
            while (reader.Read())
            {
                yield return read(reader);
            }
        }
    }

    internal SqliteCommand Command(string sql, params ReadOnlySpan<(string Name, object? Value)> parameters) =>
        LocalStore.Command(connection, transaction, sql, parameters);

    /// <returns>How many rows were changed.</returns>
    internal int Execute(string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        using var command = Command(sql, parameters);
        return command.ExecuteNonQuery();
    }
}
