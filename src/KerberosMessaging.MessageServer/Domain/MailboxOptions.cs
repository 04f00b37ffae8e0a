using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.MessageServer.Domain;

/// <summary>Limits of one device's mailbox. Section <c>Mailbox</c>.</summary>
internal sealed class MailboxOptions
{
    public const string SectionName = "Mailbox";

    /// <summary>Most messages that may wait: some weeks of a busy correspondence.</summary>
    [Range(1, 1_000_000)]
    public int MaxMessages { get; set; } = 10_000;

    /// <summary>Most bytes of envelopes that may wait: 64 of the largest.</summary>
    [Range(1024 * 1024, 1L << 40)]
    public long MaxBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>
    /// Milliseconds that a device has to acknowledge a pushed message before it is written to disk: enough for most round trips.
    /// Its sender waits as long for the answer.
    /// </summary>
    [Range(1, 10_000)]
    public int PushGraceMilliseconds { get; set; } = 100;

    /// <summary>Most bytes that the database may take. Beyond, messages are refused until some were acknowledged or expired.</summary>
    [Range(16L * 1024 * 1024, 1L << 46)]
    public long MaxStoreBytes { get; set; } = 64L * 1024 * 1024 * 1024;

    /// <summary>Bytes that stay free on the disk: with less, messages are refused, and what deletes still has room.</summary>
    [Range(0, 1L << 40)]
    public long MinimumFreeDiskBytes { get; set; } = 256 * 1024 * 1024;

    /// <summary>How long a message may wait when its sender does not say: 30 days, also the most that a sender may ask for.</summary>
    [Range(60, 30 * 24 * 3600)]
    public int TimeToLiveSeconds { get; set; } = 30 * 24 * 3600;
}

/// <summary>Checks <see cref="MailboxOptions"/> at start.</summary>
[OptionsValidator]
internal sealed partial class MailboxOptionsValidator : IValidateOptions<MailboxOptions>;
