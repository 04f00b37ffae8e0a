using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Hosting.Wire;

/// <summary>Answers a sign of life with one.</summary>
internal sealed class PingHandler : IPipelinedHandler<PingRequest>
{
    private static readonly Done Reply = new();

    public ValueTask StartAsync(PingRequest request, PipelinedCall call, CancellationToken cancellationToken)
    {
        call.Reply(Reply);
        return ValueTask.CompletedTask;
    }
}
