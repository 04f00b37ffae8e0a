namespace KerberosMessaging.Terminal.Tests;

/// <summary>A home folder that lasts as long as its test.</summary>
internal sealed class TempHome : IDisposable
{
    public const string Fingerprint = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    private readonly string _folder = Directory.CreateTempSubdirectory("kmsg-test-").FullName;

    public string Path => System.IO.Path.Combine(_folder, "home");

    public string RealmFile => PathOf("realm.json");

    /// <summary>A path beside the home folder.</summary>
    public string Beside(string name) => System.IO.Path.Combine(_folder, name);

    public string PathOf(params string[] names) => System.IO.Path.Combine([Path, .. names]);

    public static string Write(string path, string content)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        return path;
    }

    public void WriteRealm(int port = 1, string fingerprint = Fingerprint) =>
        Write(RealmFile, $$"""{"host":"127.0.0.1","port":{{port}},"fingerprint":"{{fingerprint}}"}""");

    /// <summary>Runs a command on this home.</summary>
    public Task<ExitCode> RunAsync(ScriptedShell shell, params string[] args) =>
        RunAsync(shell, TestContext.Current.CancellationToken, args);

    public async Task<ExitCode> RunAsync(ScriptedShell shell, CancellationToken cancellationToken, params string[] args)
    {
        shell.Environment.TryAdd("KMSG_HOME", Path);
        return (ExitCode)await KmsgProgram.RunAsync(args, shell, cancellationToken);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
