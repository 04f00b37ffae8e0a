using System.Text.Json;
using System.Text.Json.Serialization;

namespace KerberosMessaging.Hosting.Backup;

/// <summary>What is in a backup, and of what: the last file of it.</summary>
/// <param name="Format">The version of the format.</param>
/// <param name="Server">Whose data it is; see <see cref="ServerData.Kind"/>.</param>
/// <param name="ServerVersion">The version of the program that made it.</param>
/// <param name="Schema">The newest migration that the database has seen.</param>
/// <param name="MadeAt">The moment that the database is of.</param>
/// <param name="Parts">All other files of it.</param>
internal sealed record BackupManifest(
    int Format, string Server, string ServerVersion, string Schema, DateTimeOffset MadeAt, IReadOnlyList<BackupPart> Parts)
{
    public const string Name = "manifest.json";

    public const int CurrentFormat = 1;

    /// <summary>More than a million blobs take less; what a forged file claims must not exhaust the memory.</summary>
    public const int LargestBytes = 512 * 1024 * 1024;

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, ManifestJson.Default.BackupManifest);

    /// <exception cref="BackupException">It is no manifest of this version.</exception>
    public static BackupManifest Read(Stream content)
    {
        try
        {
            var manifest = JsonSerializer.Deserialize(content, ManifestJson.Default.BackupManifest);
            return manifest is null or { Server: null } or { Schema: null } or { Parts: null } ? throw new BackupException("its manifest is damaged")
                : manifest.Format != CurrentFormat ? throw new BackupException("it was made by a newer version")
                : manifest;
        }
        catch (JsonException e)
        {
            throw new BackupException("its manifest is damaged", e);
        }
    }
}

/// <summary>One file of a backup.</summary>
/// <param name="Name">Its path in the data folder, with <c>/</c>.</param>
/// <param name="Bytes">How long it is.</param>
/// <param name="Sha256">SHA-256 of its content, hexadecimal.</param>
internal sealed record BackupPart(string Name, long Bytes, string Sha256);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = true)]
[JsonSerializable(typeof(BackupManifest))]
internal sealed partial class ManifestJson : JsonSerializerContext;
