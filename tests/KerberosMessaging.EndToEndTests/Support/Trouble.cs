using System.Net;
using System.Net.Sockets;
using KerberosMessaging.Client;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEndTests.Support;

/// <summary>What goes wrong at every server now and then.</summary>
internal static class Trouble
{
    public static async Task FailToLogInAsync(Realm realm, string name, CancellationToken cancellationToken)
    {
        using var wrong = Password.FromCharacters("not the password of anybody");
        await Assert.ThrowsAnyAsync<Exception>(() => MessagingClient.LoginAsync(
            realm.Pin, name, wrong, Person.Options(realm.Folder, name, "elsewhere"), cancellationToken: cancellationToken));
    }

    public static async Task SpeakNonsenseAsync(int port, CancellationToken cancellationToken)
    {
        using var stranger = new TcpClient();
        await stranger.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
        await stranger.GetStream().WriteAsync("SSH-2.0-OpenSSH_9.2p1 Debian\r\n"u8.ToArray(), cancellationToken);
        var answer = new byte[1024];
        while (await stranger.GetStream().ReadAsync(answer, cancellationToken) > 0)
        {
            // An error frame, and the end.
        }
    }
}
