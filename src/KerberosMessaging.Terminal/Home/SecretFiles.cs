using KerberosMessaging.Terminal.Rendering;

namespace KerberosMessaging.Terminal.Home;

/// <summary>Opens files that should be no one else's to read.</summary>
internal static class SecretFiles
{
    public static FileStream Open(string path, string what, TextWriter warnings)
    {
        try
        {
            // Without a buffer, which would keep a copy of what is read.
            var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            if (PrivateFiles.IsOpenToOthers(stream.SafeFileHandle))
            {
                warnings.WriteLine($"kmsg: warning: the {what} '{SafeText.OfLine(path)}' is open to others; chmod 600 closes it to them");
            }

            return stream;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw CommandException.Local($"the {what} '{path}' does not exist", inner: e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CommandException.Local($"the {what} '{path}' cannot be read: {e.Message}", inner: e);
        }
    }
}
