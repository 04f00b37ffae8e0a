using KerberosMessaging.Client.Connections;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Transport;

namespace KerberosMessaging.Client.Tests.Schedules;

/// <summary>How one device reaches the servers: directly, but for the faults that a schedule puts in its way.</summary>
internal sealed class SimulatedConnection(SimulatedRealm realm, SimulatedServer server, ClientId client, DeviceId device)
    : IMessageServer, IMessageServers
{
    private Fault? _fault;

    public ServerId Id => server.Id;

    /// <summary>The auth server.</summary>
    public IRequester Auth => new AuthServer(this);

    /// <summary>Lets one of the next requests go wrong; null to let all go well.</summary>
    public void Break(Fault? fault) => _fault = fault;

    public Task<IMessageServer> GetAsync(ServerId server, CancellationToken cancellationToken) => Task.FromResult<IMessageServer>(this);

    public Task<TReply> RequestAsync<TReply>(IWireMessage request, CancellationToken cancellationToken)
        where TReply : IWireMessage<TReply> => AsTask(() => (TReply)Ask(request, AnswerOfServer));

    public Task<T> RequestAsync<T>(IWireMessage request, Func<WireReply, T> read, CancellationToken cancellationToken) => AsTask(() =>
    {
        var answer = Ask(request, AnswerOfServer);
        return read(new WireReply(CodeOf(answer), WireWriter.ToArray(answer)));
    });

    private static Task<T> AsTask<T>(Func<T> answer)
    {
        try
        {
            return Task.FromResult(answer());
        }
        catch (Exception e)
        {
            return Task.FromException<T>(e);
        }
    }

    private static MessageCode CodeOf(IWireMessage answer) => answer switch
    {
        MessageAccepted => MessageAccepted.Code,
        DevicesMismatched => DevicesMismatched.Code,
        _ => throw new InvalidOperationException($"{answer.GetType().Name} answers no request of several answers."),
    };

    private IWireMessage AnswerOfServer(IWireMessage request) => realm.Has(client, device)
        ? server.Answer(client, realm.NameOf(client), device, request)
        : new ErrorReply(ProtocolError.TicketRefused, 0);

    private IWireMessage AnswerOfRealm(IWireMessage request) => realm.Answer(client, device, request);

    private IWireMessage Ask(IWireMessage request, Func<IWireMessage, IWireMessage> answer)
    {
        var fault = _fault is { After: 0 } due ? due.Kind : (FaultKind?)null;
        _fault = _fault is null or { After: 0 } ? null : _fault with { After = _fault.After - 1 };
        switch (fault)
        {
            case FaultKind.OffBefore:
                throw new PowerCutException();
            case FaultKind.LostRequest:
                throw new MessagingException(MessagingFailure.Unreachable, "the request was lost");
        }

        var reply = answer(request);
        return fault switch
        {
            FaultKind.OffAfter => throw new PowerCutException(),
            FaultKind.LostAnswer => throw new MessagingException(MessagingFailure.Unreachable, "the answer was lost"),
            _ => reply is ErrorReply error ? throw Failures.Translate(new RequestRefusedException(error.Error, TimeSpan.Zero)) : reply,
        };
    }

    private sealed class AuthServer(SimulatedConnection connection) : IRequester
    {
        public Task<TReply> RequestAsync<TReply>(IWireMessage request, CancellationToken cancellationToken)
            where TReply : IWireMessage<TReply> => AsTask(() => (TReply)connection.Ask(request, connection.AnswerOfRealm));
    }
}
