using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.Hosting.Tests.Admin;

namespace KerberosMessaging.Hosting.Tests.Startup;

public sealed class DataFolderLockTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_folder_has_one_server_at_a_time()
    {
        var path = _folder.File("server.lock");
        using (DataFolderLock.Take(path))
        {
            var refusal = Assert.Throws<StartupException>(() => DataFolderLock.Take(path));

            Assert.StartsWith($"the data folder '{Path.GetDirectoryName(path)}' is in use by another server", refusal.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', refusal.Message);
        }

        DataFolderLock.Take(path).Dispose();
    }

    [Fact]
    public void A_lock_that_cannot_be_made_is_one_line()
    {
        var refusal = Assert.Throws<StartupException>(() => DataFolderLock.Take(_folder.File("missing/server.lock")));

        Assert.Contains("cannot be written", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refusal.Message);
    }
}
