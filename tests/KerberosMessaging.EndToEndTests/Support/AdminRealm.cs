using KerberosMessaging.Hosting.Admin;
using Microsoft.Extensions.DependencyInjection;

namespace KerberosMessaging.EndToEndTests.Support;

/// <summary>A realm whose servers have one admin token, which the tests know.</summary>
internal sealed class AdminRealm : IAsyncDisposable
{
    public const string Token = "kmsg_admin_of_the_tests_0123456789";

    private readonly TempFolder _folder = new();

    private AdminRealm()
    {
    }

    public Realm Realm { get; private set; } = null!;

    /// <summary>A file with the token.</summary>
    public string TokenFile => _folder.File("admin-token");

    public Uri Auth => AddressOf(Realm.AuthServices);

    public Uri Message => AddressOf(Realm.MessageServices);

    public static async Task<AdminRealm> StartAsync(CancellationToken cancellationToken, string[]? auth = null, string[]? message = null)
    {
        var made = new AdminRealm();
        await File.WriteAllTextAsync(made.TokenFile, Token, cancellationToken);
        var token = $"--Admin:TokenFile={made.TokenFile}";
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
