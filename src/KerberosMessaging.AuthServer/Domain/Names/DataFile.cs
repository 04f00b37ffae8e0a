using System.Globalization;

namespace KerberosMessaging.AuthServer.Domain.Names;

/// <summary>The data files beside this code, which <c>generate.py</c> writes and the assembly carries.</summary>
internal static class DataFile
{
    /// <summary>The fields of each line that is no comment.</summary>
    public static IEnumerable<string[]> Read(string name)
    {
        using var stream = typeof(DataFile).Assembly.GetManifestResourceStream(typeof(DataFile), name)
            ?? throw new InvalidOperationException($"The assembly lacks {name}.");
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            if (!line.StartsWith('#'))
            {
                yield return line.Split(' ');
            }
        }
    }

    public static int CodePoint(string field) => int.Parse(field, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
