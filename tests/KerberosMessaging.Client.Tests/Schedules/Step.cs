namespace KerberosMessaging.Client.Tests.Schedules;

/// <summary>What can happen in a schedule.</summary>
internal enum Happening
{
    Send,
    TakeAll,
    TakeOldest,
    TakeAny,

    /// <summary>A device takes a message and is switched off before it acknowledges it.</summary>
    TakeAndCrash,

    /// <summary>The server loses a message for good.</summary>
    Lose,

    /// <summary>A message comes again under another id.</summary>
    Replay,

    /// <summary>A byte of a message is another one.</summary>
    Damage,
    FollowUp,
    Pass,
    Restart,

    /// <summary>A copy is made of a device's store.</summary>
    Image,

    /// <summary>The copy takes the place of the store.</summary>
    PutImageBack,

    /// <summary>The copy takes the place of the store as a backup does: without sessions and prekeys.</summary>
    Restore,
    AddLinked,
    AddUnlinked,
    Remove,
}

/// <summary>A step of a schedule.</summary>
/// <param name="What">What happens.</param>
/// <param name="Who">To whom.</param>
/// <param name="Pick">Which of several: devices, messages, times.</param>
/// <param name="Fault">What goes wrong with a request meanwhile; null for nothing.</param>
internal sealed record Step(Happening What, int Who, int Pick = 0, Fault? Fault = null)
{
    /// <summary>As it is written in a test.</summary>
    public override string ToString() =>
        $"new(Happening.{What}, {Who}, {Pick}{(Fault is null ? "" : $", new Fault(FaultKind.{Fault.Kind}, {Fault.After})")}),";
}
