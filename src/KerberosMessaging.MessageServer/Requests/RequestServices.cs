using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.MessageServer.Requests;

/// <summary>The requests that this server answers, one line each.</summary>
internal static class RequestServices
{
    public static IServiceCollection AddRequests(this IServiceCollection services) => services
        .AddRequest<PresentTicketRequest, PresentTicketHandler>(RequestAccess.Anyone)
        .AddRequest<UploadPrekeysRequest, UploadPrekeysHandler>(RequestAccess.SignedIn)
        .AddRequest<FetchPrekeysRequest, FetchPrekeysHandler>(RequestAccess.SignedIn)
        .AddPipelinedRequest<SendMessageRequest, SendMessageHandler>(RequestAccess.SignedIn)
        .AddPipelinedRequest<AcknowledgeRequest, AcknowledgeHandler>(RequestAccess.SignedIn)
        .AddRequest<GrantCreditRequest, GrantCreditHandler>(RequestAccess.SignedIn);
}
