using System.Globalization;
using CsCheck;
using KerberosMessaging.MessageServer.Tests.Support;

namespace KerberosMessaging.MessageServer.Tests.Domain;

/// <summary>Senders, devices, a disk and a server that may be killed, played at random against what was promised.</summary>
public sealed class ScheduleTests
{
    private static readonly Gen<(ScheduleStep Step, int Pick)> AnyStep = Gen.Select(
        Gen.Frequency(
            (30, Gen.Const(ScheduleStep.Send)),
            (20, Gen.Const(ScheduleStep.Read)),
            (14, Gen.Const(ScheduleStep.Acknowledge)),
            (6, Gen.Const(ScheduleStep.AcknowledgeSome)),
            (2, Gen.Const(ScheduleStep.AcknowledgeAgain)),
            (4, Gen.Const(ScheduleStep.Repeat)),
            (8, Gen.Const(ScheduleStep.Connect)),
            (4, Gen.Const(ScheduleStep.Close)),
            (3, Gen.Const(ScheduleStep.Vanish)),
            (5, Gen.Const(ScheduleStep.NoticeEnd)),
            (6, Gen.Const(ScheduleStep.Grant)),
            (4, Gen.Const(ScheduleStep.SetRoom)),
            (10, Gen.Const(ScheduleStep.Advance)),
            (4, Gen.Const(ScheduleStep.Hold)),
            (5, Gen.Const(ScheduleStep.Release)),
            (4, Gen.Const(ScheduleStep.Settle)),
            (2, Gen.Const(ScheduleStep.Sweep)),
            (2, Gen.Const(ScheduleStep.Crash)),
            (1, Gen.Const(ScheduleStep.Restart))),
        Gen.Int[0, 1000]);

    [Fact]
    public Task Every_accepted_message_is_seen_once_and_in_order_whatever_happens() => AnyStep.Array[1, 60].SampleAsync(
        static async steps =>
        {
            await using var world = await ScheduleWorld.StartAsync();
            foreach (var (step, pick) in steps)
            {
                await world.PlayAsync(step, pick);
            }

            await world.EndAsync();
        },
        iter: Iterations(),
        threads: 1,
        print: static steps => string.Join(", ", steps.Select(static step => $"({step.Step}, {step.Pick})")));

    // More of them by hand: KMSG_SCHEDULES=50000.
    private static int Iterations() =>
        int.TryParse(Environment.GetEnvironmentVariable("KMSG_SCHEDULES"), CultureInfo.InvariantCulture, out var count) ? count : 1000;
}
