using KerberosMessaging.EndToEndTests.Support;
using KerberosMessaging.Hosting.Admin;
using Microsoft.Extensions.DependencyInjection;

namespace KerberosMessaging.EndToEndTests.Browser;

/// <summary>A realm whose servers have one admin token, which the tests know.</summary>
internal sealed class AdminRealm : IAsyncDisposable
{
    public const string Token = "kmsg_admin_of_the_browser_tests_0123456789";

    private readonly TempFolder _folder = new();

    private AdminRealm()
    {
    }

    public Realm Realm { get; private set; } = null!;

    public Uri Auth => AddressOf(Realm.AuthServices);

    public Uri Message => AddressOf(Realm.MessageServices);

    public static async Task<AdminRealm> StartAsync(CancellationToken cancellationToken, string[]? auth = null, string[]? message = null)
    {
        var made = new AdminRealm();
        var file = made._folder.File("admin-token");
        await File.WriteAllTextAsync(file, Token, cancellationToken);
        var token = $"--Admin:TokenFile={file}";
        made.Realm = await Realm.StartAsync(
            cancellationToken, new RealmSetup { Auth = [token, .. auth ?? []], Message = [token, .. message ?? []] });
        return made;
    }

    public async ValueTask DisposeAsync()
    {
        await Realm.DisposeAsync();
        _folder.Dispose();
    }

    private static Uri AddressOf(IServiceProvider services) => services.GetRequiredService<AdminListener>().Address!;
}
