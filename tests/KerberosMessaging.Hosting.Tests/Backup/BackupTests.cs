using System.Formats.Tar;
using System.Text;
using KerberosMessaging.Hosting.Backup;
using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.Hosting.Tests.Admin;
using KerberosMessaging.Hosting.Tests.Startup.Commands;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.Hosting.Tests.Backup;

public sealed class BackupTests : IDisposable
{
    private const string KeyText = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    private static readonly DateTimeOffset Now = new(2026, 5, 4, 3, 2, 1, TimeSpan.Zero);

    private readonly TempFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private DataOptions Source => new() { Directory = _folder.File("data") };

    private DataOptions Target => new() { Directory = _folder.File("restored") };

    private string Backup => _folder.File("backup");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_was_backed_up_is_restored_byte_for_byte(bool isSealed)
    {
        var large = FillSource();
        using var key = isSealed ? Key() : null;

        var made = BackupMaker.Make(new SampleData(), Source, Backup, key, withMasterKey: false, new FakeTimeProvider(Now), Cancel);
        BackupRestorer.Restore(new SampleData(), Target, Backup, key, Cancel);

        Assert.Equal((Now, SampleData.Schema, "sample"), (made.MadeAt, made.Schema, made.Server));
        Assert.Equal(File.ReadAllText(Source.PathOf("sample.db")), File.ReadAllText(Target.PathOf("sample.db")));
        Assert.Equal(large, File.ReadAllBytes(Target.PathOf("blobs/00/large.blob")));
        Assert.Equal("ring", File.ReadAllText(Target.PathOf("keys/key-1.xml")));
        Assert.Equal("check", File.ReadAllText(Target.PathOf("keys/master-key.check")));
        Assert.False(File.Exists(Target.PathOf("keys/key-2.xml.tmp")));
        Assert.False(File.Exists(Target.PathOf("master.key")));
        Assert.Equal(isSealed, !File.ReadAllText(Backup, Encoding.Latin1).Contains("ring", StringComparison.Ordinal));
    }

    [Fact]
    public void Backups_and_what_is_restored_are_for_their_owner_alone()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no such modes.");
            return;
        }

        FillSource();

        Make(key: null);
        BackupRestorer.Restore(new SampleData(), Target, Backup, key: null, Cancel);

        foreach (var file in Directory.EnumerateFiles(Target.Directory, "*", SearchOption.AllDirectories).Where(static file => !file.EndsWith(".lock", StringComparison.Ordinal)).Append(Backup))
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }

        foreach (var folder in Directory.EnumerateDirectories(Target.Directory, "*", SearchOption.AllDirectories))
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
        }
    }

    [Fact]
    public void A_file_that_goes_while_the_backup_is_made_is_named_by_nothing_in_it()
    {
        FillSource();
        var data = new SampleData { Copied = () => File.Delete(Source.PathOf("blobs/00/small.blob")) };

        BackupMaker.Make(data, Source, Backup, key: null, withMasterKey: false, TimeProvider.System, Cancel);
        BackupRestorer.Restore(new SampleData(), Target, Backup, key: null, Cancel);

        Assert.Equal(["blobs/00/large.blob"], File.ReadAllLines(Target.PathOf("sample.db")));
        Assert.False(File.Exists(Target.PathOf("blobs/00/small.blob")));
    }

    [Fact]
    public void The_master_key_goes_along_only_when_told_and_sealed()
    {
        FillSource();
        Assert.Contains(
            "encrypted",
            Assert.Throws<StartupException>(() => BackupMaker.Make(new SampleData(), Source, Backup, null, withMasterKey: true, TimeProvider.System, Cancel)).Message,
            StringComparison.Ordinal);

        using var key = Key();
        BackupMaker.Make(new SampleData(), Source, Backup, key, withMasterKey: true, TimeProvider.System, Cancel);
        BackupRestorer.Restore(new SampleData(), Target, Backup, key, Cancel);

        Assert.Equal("the master key", File.ReadAllText(Target.PathOf("master.key")));
    }

    [Fact]
    public void Any_changed_or_missing_byte_is_refused_before_anything_is_written()
    {
        FillSource();
        using var key = Key();
        foreach (var used in new[] { null, key })
        {
            Make(used);
            var bytes = File.ReadAllBytes(Backup);
            File.Delete(Backup);

            // Every chunk's edges, and a stride that meets headers, contents and the manifest.
            var places = Enumerable.Range(0, 60).Select(i => (int)((long)i * (bytes.Length - 1) / 59)).Concat([0, 22, 23, 54, 55]);
            foreach (var place in places.Distinct())
            {
                File.WriteAllBytes(Backup, bytes);
                using (var file = new FileStream(Backup, FileMode.Open))
                {
                    file.Position = place;
                    file.WriteByte((byte)(bytes[place] ^ 1));
                }

                RefuseOrGiveTheSame(used);
            }

            foreach (var length in new[] { 0, 1, 55, 511, 1024, bytes.Length / 2, bytes.Length - 65536, bytes.Length - 20000 })
            {
                File.WriteAllBytes(Backup, bytes[..length]);
                Assert.Throws<StartupException>(() => BackupRestorer.Restore(new SampleData(), Target, Backup, used, Cancel));
                Assert.False(Directory.Exists(Target.Directory));
            }

            File.Delete(Backup);
        }
    }

    [Fact]
    public void Chunks_in_another_order_or_left_off_are_refused()
    {
        FillSource();
        using var key = Key();
        Make(key);
        var bytes = File.ReadAllBytes(Backup);
        var (first, second) = (SealedFormat.HeaderSize, SealedFormat.HeaderSize + SealedFormat.SealedChunkSize);

        byte[] swapped = [.. bytes[..first], .. bytes.AsSpan(second, SealedFormat.SealedChunkSize), .. bytes.AsSpan(first, SealedFormat.SealedChunkSize), .. bytes[(second + SealedFormat.SealedChunkSize)..]];
        File.WriteAllBytes(Backup, swapped);
        Assert.Throws<StartupException>(() => BackupArchive.Read(Backup, key, null, Cancel));

        File.WriteAllBytes(Backup, bytes[..second]);
        Assert.Throws<StartupException>(() => BackupArchive.Read(Backup, key, null, Cancel));
    }

    [Fact]
    public void Another_key_no_key_or_a_key_for_what_is_not_sealed_are_told()
    {
        FillSource();
        using var key = Key();
        using var other = Key(KeyText.Replace('1', '2'));
        Make(key);

        Assert.Contains("another key", Refuse(other), StringComparison.Ordinal);
        Assert.Contains("no key is given", Refuse(null), StringComparison.Ordinal);

        File.Delete(Backup);
        Make(key: null);
        Assert.Contains("not encrypted", Refuse(key), StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_is_not_empty_is_left_as_it_is()
    {
        FillSource();
        Make(key: null);
        Directory.CreateDirectory(Target.Directory);
        File.WriteAllText(Target.PathOf("something"), "else");

        Assert.Contains("not empty", Refuse(null), StringComparison.Ordinal);

        Assert.Equal("else", File.ReadAllText(Target.PathOf("something")));
        Assert.Single(Directory.EnumerateFileSystemEntries(Target.Directory));
    }

    [Fact]
    public void A_folder_that_a_server_holds_is_refused_and_a_master_key_may_be_there_before()
    {
        FillSource();
        Make(key: null);
        Directory.CreateDirectory(Target.Directory);
        File.WriteAllText(Target.PathOf("master.key"), "was here");
        using (DataFolderLock.Take(Target.PathOf("sample.lock")))
        {
            Assert.Contains("in use", Refuse(null), StringComparison.Ordinal);
        }

        BackupRestorer.Restore(new SampleData(), Target, Backup, key: null, Cancel);

        Assert.Equal("was here", File.ReadAllText(Target.PathOf("master.key")));
        Assert.True(File.Exists(Target.PathOf("sample.db")));
    }

    [Theory]
    [InlineData("../escaped")]
    [InlineData("/escaped")]
    [InlineData("keys/../../escaped")]
    [InlineData("a/b/c/d")]
    public void A_name_that_leads_elsewhere_is_refused(string name)
    {
        using (var writer = new TarWriter(File.Create(Backup)))
        {
            writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream([1]) });
        }

        Assert.Contains("what no backup holds", Refuse(null), StringComparison.Ordinal);
        Assert.False(File.Exists(_folder.File("escaped")));
    }

    [Fact]
    public void A_backup_of_a_newer_version_or_of_another_server_is_refused()
    {
        FillSource();
        Make(key: null);

        Assert.Contains("newer version", Assert.Throws<StartupException>(() => BackupRestorer.Restore(new Older(), Target, Backup, null, Cancel)).Message, StringComparison.Ordinal);
        Assert.Contains("'sample'", Assert.Throws<StartupException>(() => BackupRestorer.Restore(new Stranger(), Target, Backup, null, Cancel)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void No_file_is_written_over_and_a_failed_backup_leaves_nothing()
    {
        FillSource();
        File.WriteAllText(Backup, "precious");
        Assert.Contains("already", Assert.Throws<StartupException>(() => Make(key: null)).Message, StringComparison.Ordinal);
        Assert.Equal("precious", File.ReadAllText(Backup));
        File.Delete(Backup);

        Assert.Throws<InvalidOperationException>(() => BackupMaker.Make(
            new SampleData { Copied = static () => throw new InvalidOperationException("the disk is full") },
            Source, Backup, key: null, withMasterKey: false, TimeProvider.System, Cancel));

        Assert.Empty(Directory.EnumerateFiles(Path.GetDirectoryName(Backup)!, "*.partial"));
        Assert.False(Directory.Exists(Source.PathOf(".backup")));
    }

    private static string Random(int length)
    {
        var random = new Random(1);
        return string.Create(length, random, static (span, random) =>
        {
            foreach (ref var c in span)
            {
                c = (char)random.Next('a', 'z');
            }
        });
    }

    // A changed byte of what is not looked at (padding between files of the archive) changes nothing that is restored.
    private void RefuseOrGiveTheSame(BackupKey? key)
    {
        try
        {
            BackupRestorer.Restore(new SampleData(), Target, Backup, key, Cancel);
        }
        catch (StartupException)
        {
            Assert.False(Directory.Exists(Target.Directory));
            return;
        }

        Assert.Null(key);
        foreach (var file in new[] { "sample.db", "blobs/00/large.blob", "blobs/00/small.blob", "keys/key-1.xml" })
        {
            Assert.Equal(File.ReadAllBytes(Source.PathOf(file)), File.ReadAllBytes(Target.PathOf(file)));
        }

        Directory.Delete(Target.Directory, recursive: true);
    }

    private string Refuse(BackupKey? key) =>
        Assert.Throws<StartupException>(() => BackupRestorer.Restore(new SampleData(), Target, Backup, key, Cancel)).Message;

    private void Make(BackupKey? key) =>
        BackupMaker.Make(new SampleData(), Source, Backup, key, withMasterKey: false, TimeProvider.System, Cancel);

    private BackupKey Key(string text = KeyText) => BackupKey.Read(_folder.Write("backup.key", text));

    private byte[] FillSource()
    {
        var large = Encoding.ASCII.GetBytes(Random(300_000));
        foreach (var folder in new[] { "data", "data/keys", "data/blobs", "data/blobs/00" })
        {
            Directory.CreateDirectory(_folder.File(folder));
        }

        _folder.Write("data/sample.db", "blobs/00/large.blob\nblobs/00/small.blob\n");
        File.WriteAllBytes(_folder.File("data/blobs/00/large.blob"), large);
        _folder.Write("data/blobs/00/small.blob", "small");
        _folder.Write("data/keys/key-1.xml", "ring");
        _folder.Write("data/keys/key-2.xml.tmp", "half");
        _folder.Write("data/keys/master-key.check", "check");
        _folder.Write("data/master.key", "the master key");
        return large;
    }

    private sealed class Older : Sample
    {
        public override IReadOnlyCollection<string> Migrations => ["1_First"];
    }

    private sealed class Stranger : Sample
    {
        public override string Kind => "stranger";
    }

    private class Sample : ServerData
    {
        public override string Kind => "sample";

        public override string Database => "sample.db";

        public override string LockFile => "sample.lock";

        public override IReadOnlyCollection<string> Migrations => [SampleData.Schema];

        public override string Copy(string source, string copy, DateTimeOffset madeAt) => throw new InvalidOperationException("not used");
    }
}
