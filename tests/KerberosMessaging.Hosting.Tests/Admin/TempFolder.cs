namespace KerberosMessaging.Hosting.Tests.Admin;

/// <summary>A folder that goes away with the test.</summary>
internal sealed class TempFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("kmsg-hosting-tests-");

    public string File(string name) => Path.Combine(_folder.FullName, name);

    public string Write(string name, string text)
    {
        System.IO.File.WriteAllText(File(name), text);
        return File(name);
    }

    public string AllText() =>
        string.Concat(_folder.EnumerateFiles("*", SearchOption.AllDirectories).Select(static file => System.IO.File.ReadAllText(file.FullName)));

    public void Dispose() => _folder.Delete(recursive: true);
}
