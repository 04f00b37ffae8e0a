using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.MessageServer.Requests;

/// <summary>The requests that this server answers, one line each.</summary>
internal static class RequestServices
{
    public static IServiceCollection AddRequests(this IServiceCollection services) => services
        .AddRequest<PresentTicketRequest, PresentTicketHandler>(RequestAccess.Anyone, cost: 5)

        // Up to 200 rows.
        .AddRequest<UploadPrekeysRequest, UploadPrekeysHandler>(RequestAccess.SignedIn, cost: 100)
        .AddRequest<FetchPrekeysRequest, FetchPrekeysHandler>(RequestAccess.SignedIn, cost: 5)
        .AddRequest<PrekeyStatusRequest, PrekeyStatusHandler>(RequestAccess.SignedIn)
        .AddPipelinedRequest<SendMessageRequest, SendMessageHandler>(RequestAccess.SignedIn)

        // What a device was sent, it may always acknowledge, and ask for more: a refusal here would stop its mail.
        .AddPipelinedRequest<AcknowledgeRequest, AcknowledgeHandler>(RequestAccess.SignedIn, cost: 0)
        .AddRequest<GrantCreditRequest, GrantCreditHandler>(RequestAccess.SignedIn, cost: 0)

        // A piece is many times larger than most messages.
        .AddConcurrentRequest<StartBlobRequest, StartBlobHandler>(RequestAccess.SignedIn, cost: 4)
        .AddConcurrentRequest<WriteBlobRequest, WriteBlobHandler>(RequestAccess.SignedIn, cost: 4)
        .AddConcurrentRequest<ReadBlobRequest, ReadBlobHandler>(RequestAccess.SignedIn, cost: 4)
        .AddConcurrentRequest<DeleteBlobRequest, DeleteBlobHandler>(RequestAccess.SignedIn);
}
