using KerberosMessaging.Hosting.Backup;

namespace KerberosMessaging.Hosting.Tests.Startup.Commands;

/// <summary>Data of a server whose database is a text file: each line names a file that belongs to it.</summary>
internal sealed class SampleData : ServerData
{
    public const string Schema = "2_Second";

    public override string Kind => "sample";

    public override string Database => "sample.db";

    public override string LockFile => "sample.lock";

    public override IReadOnlyCollection<string> Migrations { get; } = ["1_First", Schema];

    /// <summary>Called when the copy was made.</summary>
    public Action? Copied { get; init; }

    public override string Copy(string source, string copy, DateTimeOffset madeAt)
    {
        File.Copy(source, copy);
        Copied?.Invoke();
        return Schema;
    }

    public override IEnumerable<string> FilesOf(string copy) => File.ReadAllLines(copy);

    public override void Forget(string copy, IReadOnlyCollection<string> files) => File.WriteAllLines(copy, File.ReadAllLines(copy).Except(files));
}
