using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;

namespace KerberosMessaging.AuthServer.Tests;

public sealed class SubscriptionOrderTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_answer_to_a_subscription_comes_before_the_first_push()
    {
        await using var server = await TestServer.StartAsync();
        var member = await TestMember.EnrolAsync(server);
        await server.Get<AuthWriter>().WriteAsync(
            scope => server.Get<RevocationLog>().RevokeClient(scope, Guid.NewGuid(), "test"), Cancel);
        for (var round = 0; round < 200; round++)
        {
            await using var link = await MemberLink.ConnectAsync(server);
            await link.RequestAsync<ServerKeys>(member.Proof(link.ChannelBinding));
            var answer = new Answer(link);
            await link.Connection.SendAsync(new SubscribeRevocationsRequest(0), answer, Cancel);
            await link.NextRevocationsAsync(1);
            Assert.Equal((MessageCode.RevocationsSubscribed, 0), answer.Seen);
        }
    }

    /// <summary>Sees the answer in the read loop, where pushes are seen too: the order is the one in which the server sent.</summary>
    private sealed class Answer(MemberLink link) : IReplyHandler
    {
        public (MessageCode Code, int PushesBefore)? Seen { get; private set; }

        public void OnReply(MessageCode code, ReadOnlyMemory<byte> payload) => Seen = (code, link.Waiting);

        public void OnFailed(ChannelException reason)
        {
        }
    }
}
