using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.MessageServer.Tests.Support;

namespace KerberosMessaging.MessageServer.Tests.Stores;

/// <summary>The store that other tests use keeps the contract too, or they would prove little.</summary>
public sealed class MemoryMailboxStoreTests : MailboxStoreContract
{
    private readonly MemoryMailboxStore.Disk _disk = new();

    private protected override Task<IMailboxStore> OpenAsync() => Task.FromResult<IMailboxStore>(new MemoryMailboxStore(_disk));

    private protected override ValueTask CloseAsync() => ValueTask.CompletedTask;

    private protected override void SetFailing(bool fails) => ((MemoryMailboxStore)Store).Fails = fails;
}
