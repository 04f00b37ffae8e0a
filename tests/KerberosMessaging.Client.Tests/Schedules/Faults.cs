namespace KerberosMessaging.Client.Tests.Schedules;

/// <summary>What goes wrong with a request.</summary>
internal enum FaultKind
{
    /// <summary>It never reaches the server.</summary>
    LostRequest,

    /// <summary>The server does it, but its answer is lost.</summary>
    LostAnswer,

    /// <summary>The device goes off before the request leaves.</summary>
    OffBefore,

    /// <summary>The device goes off before the answer comes.</summary>
    OffAfter,
}

/// <summary>A fault, and how many requests go well before it.</summary>
internal sealed record Fault(FaultKind Kind, int After);

/// <summary>The device was switched off in the middle of what it did.</summary>
internal sealed class PowerCutException : Exception;
