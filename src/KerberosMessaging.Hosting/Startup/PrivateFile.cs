namespace KerberosMessaging.Hosting.Startup;

/// <summary>Files that hold secrets: for their owner alone, and written whole or not at all.</summary>
public static class PrivateFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private const UnixFileMode Others =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    /// <summary>Writes a file in the place of what is there, with mode 0600. It outlives a power cut that follows.</summary>
    /// <param name="path">The file.</param>
    /// <param name="content">Its whole content.</param>
    /// <exception cref="IOException">It cannot be written; what was there is unchanged.</exception>
    /// <exception cref="UnauthorizedAccessException">As before.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        // Data Protection reads all that ends in .xml: this must not.
        var temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = OwnerOnly;
            }

            using (var stream = new FileStream(temporary, options))
            {
                stream.Write(content);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        finally
        {
            // There is none once it was moved.
            File.Delete(temporary);
        }
    }

    /// <summary>Whether somebody but the owner may read or change a file. Not known on Windows.</summary>
    internal static bool IsOpenToOthers(string path) => !OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & Others) != 0;
}
