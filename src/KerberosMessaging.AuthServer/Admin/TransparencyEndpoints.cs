using System.ComponentModel.DataAnnotations;
using KerberosMessaging.AuthServer.Domain.Transparency;
using KerberosMessaging.AuthServer.Persistence;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Admin.Access;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace KerberosMessaging.AuthServer.Admin;

/// <summary>What the realm signed of its transparency log.</summary>
/// <param name="Size" example="1024">How many entries the log had.</param>
/// <param name="At" example="2026-05-04T08:15:30.250Z">When it was signed.</param>
/// <param name="Root" example="8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4">The root of the tree (RFC 9162 section 2.1.1), hexadecimal.</param>
/// <param name="Signature" example="9c1f2d…">Ed25519 over the label, size, time and root, hexadecimal.</param>
internal sealed record TransparencyHeadView(long Size, DateTimeOffset At, string Root, string Signature)
{
    public static TransparencyHeadView Of(TransparencyHeadRow row) =>
        new(row.Size, row.At, Convert.ToHexStringLower(row.Root), Convert.ToHexStringLower(row.Signature));
}

/// <summary>What the realm said of a device.</summary>
/// <param name="Index" example="1023">Its place in the log: 0, 1, 2 and so on.</param>
/// <param name="At" example="2026-05-04T08:15:30.250Z">When.</param>
/// <param name="Kind" example="certified">What it said.</param>
/// <param name="ClientId" example="0b5c8f37-61d2-4f0e-8a53-9d1e6c7b2a40">The client.</param>
/// <param name="DeviceId" example="c2f8d9a1-7b3e-4c56-b0a4-5e6d7f8091a2">The device.</param>
/// <param name="Serial" example="17">The serial of the device's certificate.</param>
/// <param name="Statement" example="8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4">SHA-256 of the certificate or the link, hexadecimal; zeros for a removal.</param>
/// <param name="Leaf" example="01000001…">The bytes that are hashed into the tree, hexadecimal.</param>
internal sealed record TransparencyEntryView(
    long Index, DateTimeOffset At, TransparencyKind Kind, Guid ClientId, Guid DeviceId, long Serial, string Statement, string Leaf)
{
    public static TransparencyEntryView Of(TransparencyEntryRow row) => new(
        row.Index,
        row.At,
        row.Kind,
        row.ClientId,
        row.DeviceId,
        row.Serial,
        Convert.ToHexStringLower(row.Statement),
        Convert.ToHexStringLower(TransparencyLog.Encode(row)));
}

/// <summary>A proof.</summary>
/// <param name="Size" example="1024">The size of the tree that it is about.</param>
/// <param name="Hashes">The hashes, hexadecimal, in the order of RFC 9162 section 2.1.</param>
/// <param name="PublicKey" example="8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4">The realm's public key, which heads are signed with; its SHA-256 is the realm's fingerprint.</param>
internal sealed record TransparencyProofView(long Size, IReadOnlyList<string> Hashes, string PublicKey);

internal static class TransparencyEndpoints
{
    public static void Map(RouteGroupBuilder admin)
    {
        var log = admin.MapGroup("/transparency").WithTags("Transparency").RequireScope(AdminScope.MetricsRead);
        log.MapGet("/heads", ListHeadsAsync);
        log.MapGet("/entries", ListEntriesAsync);
        log.MapGet("/entries/{index:long}/proof", ProveInclusionAsync);
        log.MapGet("/consistency", ProveConsistencyAsync);
    }

    /// <summary>Lists the signed heads of the transparency log</summary>
    /// <remarks>Newest first, a page at a time. Keep one elsewhere: against it a later log can be checked.</remarks>
    private static async Task<Results<Ok<Page<TransparencyHeadView>>, ValidationProblem>> ListHeadsAsync(
        [AsParameters] PageRequest page, TransparencyLog log, CancellationToken cancellationToken)
    {
        if (!page.TryRead(out var limit, out var after, out var problem))
        {
            return problem;
        }

        // The size stands in the cursor's place for a time.
        var rows = await log.ListHeadsAsync(after?.CreatedAtMs ?? long.MaxValue, limit + 1, cancellationToken);
        return TypedResults.Ok(rows.ToPage(limit, TransparencyHeadView.Of, static row => PageCursor.Encode(row.Size, Guid.Empty)));
    }

    /// <summary>Lists the entries of the transparency log</summary>
    /// <remarks>Oldest first, a page at a time: every certificate, link and removal of a device. Names and keys are not in it.</remarks>
    private static async Task<Results<Ok<Page<TransparencyEntryView>>, ValidationProblem>> ListEntriesAsync(
        [AsParameters] PageRequest page, TransparencyLog log, CancellationToken cancellationToken)
    {
        if (!page.TryRead(out var limit, out var after, out var problem))
        {
            return problem;
        }

        var rows = await log.ListEntriesAsync(after?.CreatedAtMs ?? -1, limit + 1, cancellationToken);
        return TypedResults.Ok(rows.ToPage(limit, TransparencyEntryView.Of, static row => PageCursor.Encode(row.Index, Guid.Empty)));
    }

    /// <summary>Proves that an entry is in the log</summary>
    /// <remarks>An inclusion proof (RFC 9162 section 2.1.3) to the root of the head of that size.</remarks>
    /// <param name="index" example="0">The entry's place.</param>
    /// <param name="size">The size of the tree; that of the newest head when missing.</param>
    /// <param name="log">The transparency log.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<Ok<TransparencyProofView>, NotFound, ValidationProblem>> ProveInclusionAsync(
        long index, [FromQuery, Range(1, long.MaxValue)] long? size, TransparencyLog log, CancellationToken cancellationToken)
    {
        var newest = await log.ReadSizeAsync(cancellationToken);
        if (size > newest || size < 1)
        {
            return AdminResults.Wrong("size", "The log was never of that size.");
        }

        var wanted = size ?? newest;
        return index < 0 || index >= wanted
            ? TypedResults.NotFound()
            : Proof(log, wanted, await log.ProveInclusionAsync(index, wanted, cancellationToken));
    }

    /// <summary>Proves that the log only grew</summary>
    /// <remarks>A consistency proof (RFC 9162 section 2.1.4) between the roots of two heads.</remarks>
    /// <param name="from">The size of the older tree; 0 when missing, which needs no hashes.</param>
    /// <param name="to">The size of the newer tree; that of the newest head when missing.</param>
    /// <param name="log">The transparency log.</param>
    /// <param name="cancellationToken">The request's end.</param>
    private static async Task<Results<Ok<TransparencyProofView>, ValidationProblem>> ProveConsistencyAsync(
        long? from, long? to, TransparencyLog log, CancellationToken cancellationToken)
    {
        var newest = await log.ReadSizeAsync(cancellationToken);
        var (older, newer) = (from ?? 0, to ?? newest);
        if (newer < 0 || newer > newest)
        {
            return AdminResults.Wrong("to", "The log was never of that size.");
        }

        return older < 0 || older > newer
            ? AdminResults.Wrong("from", "The log was not of that size before.")
            : Proof(log, newer, await log.ProveConsistencyAsync(older, newer, cancellationToken));
    }

    private static Ok<TransparencyProofView> Proof(TransparencyLog log, long size, List<byte[]> hashes) => TypedResults.Ok(
        new TransparencyProofView(size, hashes.ConvertAll(Convert.ToHexStringLower), Convert.ToHexStringLower(log.PublicKey.Span)));
}
