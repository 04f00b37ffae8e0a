using KerberosMessaging.MessageServer.Persistence.Blobs;
using Microsoft.AspNetCore.Http.HttpResults;

namespace KerberosMessaging.MessageServer.Admin;

internal static class BlobEndpoints
{
    /// <summary>Tells how many blobs there are</summary>
    /// <remarks>Content is not shown: the server cannot read it. Ids are not shown: whoever knows one may read the blob.</remarks>
    public static async Task<Ok<BlobStatsView>> ReadStatsAsync(BlobIndex index, CancellationToken cancellationToken)
    {
        var stats = await index.ReadStatsAsync(cancellationToken);
        return TypedResults.Ok(new BlobStatsView(stats.Complete, stats.CompleteBytes, stats.Unfinished, stats.UnfinishedBytes));
    }
}
