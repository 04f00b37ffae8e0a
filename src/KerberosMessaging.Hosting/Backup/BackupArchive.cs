using System.Formats.Tar;
using System.Text.RegularExpressions;
using KerberosMessaging.Hosting.Startup;

namespace KerberosMessaging.Hosting.Backup;

/// <summary>Reads backups.</summary>
internal static partial class BackupArchive
{
    /// <summary>
    /// Reads a backup from its beginning to its end and makes sure that it is whole: each part as long and of the digest that the manifest
    /// says, and none more or less.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="key">The key, for one that is sealed.</param>
    /// <param name="take">Takes each part as it comes, before it is known to be right, and reads all of it; null to read only.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="StartupException">It cannot be used; names the file.</exception>
    public static BackupManifest Read(string path, BackupKey? key, Action<string, Stream>? take, CancellationToken cancellationToken)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            var header = new byte[SealedFormat.HeaderSize];
            var length = file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false);
            if (!SealedFormat.IsHeader(header.AsSpan(0, length)))
            {
                // Somebody who gives a key means to read what only its holder can have made.
                return key is not null ? throw new BackupException("it is not encrypted, though a key is given") : ReadWhole(Rewound(file), take, cancellationToken);
            }

            using var opened = new OpeningStream(file, header, key ?? throw new BackupException("it is encrypted, and no key is given"));
            return ReadWhole(opened, take, cancellationToken);
        }
        catch (FileNotFoundException e)
        {
            throw new StartupException($"the backup '{path}' does not exist.", e);
        }
        catch (Exception e) when (e is BackupException or InvalidDataException or FormatException or EndOfStreamException)
        {
            throw new StartupException($"the backup '{path}' cannot be used: {(e is BackupException ? e.Message : "it is damaged")}.", e);
        }
    }

    private static FileStream Rewound(FileStream file)
    {
        file.Position = 0;
        return file;
    }

    private static BackupManifest ReadWhole(Stream source, Action<string, Stream>? take, CancellationToken cancellationToken)
    {
        var parts = new Dictionary<string, BackupPart>(StringComparer.Ordinal);
        BackupManifest? manifest = null;
        using var reader = new TarReader(source, leaveOpen: true);
        while (reader.GetNextEntry() is { } entry)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (manifest is not null || entry.EntryType != TarEntryType.RegularFile || !PartName().IsMatch(entry.Name))
            {
                throw new BackupException("it holds what no backup holds");
            }

            if (entry.Name == BackupManifest.Name)
            {
                manifest = entry is { DataStream: { } content, Length: <= BackupManifest.LargestBytes }
                    ? BackupManifest.Read(content)
                    : throw new BackupException("its manifest is damaged");
            }
            else if (!parts.TryAdd(entry.Name, ReadPart(entry, take)))
            {
                throw new BackupException("it holds a file twice");
            }
        }

        // Behind the archive's end there may be zeros, and of a sealed one the end itself.
        source.CopyTo(Stream.Null);
        return manifest is null ? throw new BackupException("it is no backup, or its end is missing")
            : manifest.Parts.Count == parts.Count && manifest.Parts.All(part => parts.GetValueOrDefault(part.Name) == part) ? manifest
            : throw new BackupException("its files are not those of its manifest");
    }

    private static BackupPart ReadPart(TarEntry entry, Action<string, Stream>? take)
    {
        using var content = new HashingStream(entry.DataStream ?? Stream.Null);
        take?.Invoke(entry.Name, content);
        content.CopyTo(Stream.Null);
        return content.ToPart(entry.Name);
    }

    // At most two folders deep, and no name that leads anywhere else.
    [GeneratedRegex(@"\A(?:[A-Za-z0-9][A-Za-z0-9._-]{0,99}/){0,2}[A-Za-z0-9][A-Za-z0-9._-]{0,99}\z")]
    private static partial Regex PartName();
}
