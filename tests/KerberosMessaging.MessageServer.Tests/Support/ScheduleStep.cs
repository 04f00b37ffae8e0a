namespace KerberosMessaging.MessageServer.Tests.Support;

/// <summary>What may happen next in a <see cref="ScheduleWorld"/>.</summary>
internal enum ScheduleStep
{
    /// <summary>A sender sends its next message to all devices.</summary>
    Send,

    /// <summary>A device reads some of what was pushed.</summary>
    Read,

    /// <summary>A device acknowledges all that it has read.</summary>
    Acknowledge,

    /// <summary>A device acknowledges some of what it has read, with gaps.</summary>
    AcknowledgeSome,

    /// <summary>A device acknowledges again what it acknowledged before.</summary>
    AcknowledgeAgain,

    /// <summary>A sender repeats a message, answered or not.</summary>
    Repeat,

    /// <summary>A device connects, perhaps while another connection of it is open.</summary>
    Connect,

    /// <summary>A device's connection breaks, and what is pushed finds it broken.</summary>
    Close,

    /// <summary>A device's connection breaks, and what is pushed seems to go through.</summary>
    Vanish,

    /// <summary>The server notices the end of a broken connection.</summary>
    NoticeEnd,

    /// <summary>A device gives credit.</summary>
    Grant,

    /// <summary>A connection has room for a few pushes, or none.</summary>
    SetRoom,

    /// <summary>Time passes.</summary>
    Advance,

    /// <summary>The disk stands still.</summary>
    Hold,

    /// <summary>The disk goes on.</summary>
    Release,

    /// <summary>All that waits for the disk is written.</summary>
    Settle,

    /// <summary>What is not needed leaves memory.</summary>
    Sweep,

    /// <summary>The server is killed and started again.</summary>
    Crash,

    /// <summary>The server is stopped and started again.</summary>
    Restart,
}
