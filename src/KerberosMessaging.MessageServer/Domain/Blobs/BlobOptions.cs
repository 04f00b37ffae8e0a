using System.ComponentModel.DataAnnotations;
using KerberosMessaging.Protocol;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.MessageServer.Domain.Blobs;

/// <summary>Limits of blobs. Section <c>Blobs</c>.</summary>
internal sealed class BlobOptions : IValidatableObject
{
    public const string SectionName = "Blobs";

    private const long Most = 1L << 50;

    /// <summary>Most bytes of one blob. The whole of it is read once more when its last byte has come.</summary>
    [Range(1, 16L << 30)]
    public long MaxBytes { get; set; } = 256L << 20;

    /// <summary>Most bytes of all blobs of one client; unfinished ones count with the size that was announced.</summary>
    [Range(1, Most)]
    public long MaxBytesPerClient { get; set; } = 2L << 30;

    /// <summary>Most blobs of one client, so that tiny ones do not fill the folders.</summary>
    [Range(1, 1_000_000)]
    public int MaxBlobsPerClient { get; set; } = 10_000;

    /// <summary>Most unfinished uploads of one client.</summary>
    [Range(1, 10_000)]
    public int MaxUploadsAtOnce { get; set; } = 8;

    /// <summary>Most bytes of all blobs together, counted in the same way.</summary>
    [Range(1, Most)]
    public long MaxStoreBytes { get; set; } = 100L << 30;

    /// <summary>How many bytes of the disk stay free for messages: below that nothing is taken.</summary>
    [Range(0, Most)]
    public long MinimumFreeDiskBytes { get; set; } = 1L << 30;

    /// <summary>How long a complete blob is kept when its uploader does not say: 30 days, also the most that an uploader may ask for.</summary>
    [Range(60, 30 * 24 * 3600)]
    public int TimeToLiveSeconds { get; set; } = (int)ProtocolLimits.TimeToLiveSeconds;

    /// <summary>After how long without progress an upload is given up.</summary>
    [Range(60, 30 * 24 * 3600)]
    public int UploadTimeToLiveSeconds { get; set; } = 24 * 3600;

    /// <inheritdoc />
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MaxBytesPerClient < MaxBytes || MaxStoreBytes < MaxBytes)
        {
            yield return new ValidationResult(
                "The fields MaxBytesPerClient and MaxStoreBytes must not be below MaxBytes.",
                [nameof(MaxBytesPerClient), nameof(MaxStoreBytes)]);
        }
    }
}

/// <summary>Checks <see cref="BlobOptions"/> at start.</summary>
[OptionsValidator]
internal sealed partial class BlobOptionsValidator : IValidateOptions<BlobOptions>;
