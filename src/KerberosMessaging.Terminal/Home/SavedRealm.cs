using System.Text.Json;
using KerberosMessaging.Client;

namespace KerberosMessaging.Terminal.Home;

/// <summary>The realm that the user decided to trust, in a file that people can read.</summary>
internal sealed class SavedRealm(string path)
{
    public RealmPin Require() => Load() ?? throw CommandException.Usage(
        "no realm is known yet", "kmsg realm add HOST:PORT, with the address of the realm's auth server");

    /// <summary>The saved realm; null when there is none.</summary>
    public RealmPin? Load()
    {
        RealmContent? content;
        try
        {
            content = JsonSerializer.Deserialize(File.ReadAllBytes(path), RealmContentJson.Default.RealmContent);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (JsonException e)
        {
            throw Damaged(e);
        }

        return content is { Host.Length: > 0, Port: > 0 and <= ushort.MaxValue, Fingerprint: { } written }
            && RealmPin.TryParseFingerprint(written, out var fingerprint)
            ? new RealmPin { Host = content.Host, Port = content.Port, Fingerprint = fingerprint }
            : throw Damaged(null);
    }

    public void Save(RealmPin realm) => PrivateFiles.Replace(
        path,
        JsonSerializer.SerializeToUtf8Bytes(
            new RealmContent(realm.Host, realm.Port, realm.Fingerprint), RealmContentJson.Default.RealmContent));

    /// <returns>Whether there was one.</returns>
    public bool Remove()
    {
        var existed = File.Exists(path);
        if (existed)
        {
            File.Delete(path);
        }

        return existed;
    }

    private CommandException Damaged(Exception? inner) => CommandException.Local(
        $"'{path}' is damaged", "kmsg realm remove, then kmsg realm add HOST:PORT", inner);
}
