using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.AuthServer.Tests;

public sealed class SubscriptionOrderTests
{
    [Fact]
    public async Task The_answer_to_a_subscription_comes_before_the_first_push()
    {
        await using var server = await TestServer.StartAsync();
        var member = await TestMember.EnrolAsync(server);
        await server.Get<AuthWriter>().WriteAsync(
            scope => server.Get<RevocationLog>().RevokeClient(scope, Guid.NewGuid(), "test"), TestContext.Current.CancellationToken);
        for (var round = 0; round < 200; round++)
        {
            // Seen from the path, where the order is the one in which the server sent.
            await using var proxy = new RecordingProxy(server.Port);
            await using var link = await MemberLink.ConnectAsync(server, proxy.Port);
            await link.RequestAsync<ServerKeys>(member.Proof(link.ChannelBinding));
            await link.SubscribeAsync(0);
            await link.NextRevocationsAsync(1);

            Assert.Equal(
                [MessageCode.ServerHello, MessageCode.ServerKeys, MessageCode.RevocationsSubscribed, MessageCode.Revocations],
                RecordingProxy.Frames(proxy.FromServer).Select(static frame => frame.Header.Code));
        }
    }
}
