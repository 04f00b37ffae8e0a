using CsCheck;

namespace KerberosMessaging.Client.Tests.Schedules;

/// <summary>
/// Random schedules of two and three people, with all that networks, power cuts, backups and new devices do to them. A failure prints
/// the schedule and its seed: with CsCheck_Seed set to that it is played again.
/// </summary>
public sealed class RandomScheduleTests
{
    private static readonly Gen<Fault?> AnyFault = Gen.Frequency(
        (8, Gen.Const((Fault?)null)),
        (3, Gen.Select(Gen.Enum<FaultKind>(), Gen.Int[0, 4], static (kind, after) => (Fault?)new Fault(kind, after))));

    [Fact]
    public void Two_people_read_everything_once_or_are_told_that_they_cannot() => Sample(
        2,
        40,
        1000,
        (30, Happening.Send),
        (12, Happening.TakeAll),
        (8, Happening.TakeOldest),
        (8, Happening.TakeAny),
        (3, Happening.TakeAndCrash),
        (2, Happening.Lose),
        (3, Happening.Replay),
        (3, Happening.Damage),
        (6, Happening.FollowUp),
        (8, Happening.Pass),
        (4, Happening.Restart));

    [Fact]
    public void Two_people_go_on_after_stores_were_put_back_to_an_earlier_state() => Sample(
        2,
        40,
        600,
        (30, Happening.Send),
        (15, Happening.TakeAll),
        (8, Happening.TakeAny),
        (3, Happening.TakeAndCrash),
        (1, Happening.Lose),
        (2, Happening.Replay),
        (2, Happening.Damage),
        (6, Happening.FollowUp),
        (8, Happening.Pass),
        (3, Happening.Restart),
        (4, Happening.Image),
        (4, Happening.PutImageBack),
        (2, Happening.Restore));

    [Fact]
    public void Three_people_with_several_devices_read_everything_once_or_are_told_that_they_cannot() => Sample(
        3,
        70,
        400,
        (40, Happening.Send),
        (20, Happening.TakeAll),
        (5, Happening.TakeOldest),
        (8, Happening.TakeAny),
        (3, Happening.TakeAndCrash),
        (1, Happening.Lose),
        (2, Happening.Replay),
        (2, Happening.Damage),
        (6, Happening.FollowUp),
        (8, Happening.Pass),
        (3, Happening.Restart),
        (2, Happening.Image),
        (2, Happening.PutImageBack),
        (1, Happening.Restore),
        (4, Happening.AddLinked),
        (1, Happening.AddUnlinked),
        (2, Happening.Remove));

    private static void Sample(int people, int steps, int schedules, params (int Weight, Happening What)[] happenings) =>
        Gen.Select(
                Gen.Frequency([.. happenings.Select(static happening => (happening.Weight, Gen.Const(happening.What)))]),
                Gen.Int[0, people - 1],
                Gen.Int[0, 1000],
                AnyFault,
                static (what, who, pick, fault) => new Step(what, who, pick, fault))
            .Array[1, steps]
            .Sample(
                schedule =>
                {
                    if (Play(people, schedule) is not null)
                    {
                        var shortest = Shorten(people, [.. schedule]);
                        Assert.Fail($"{Play(people, shortest)}\n{string.Join('\n', shortest)}");
                    }
                },
                iter: schedules,
                threads: 2,
                print: static schedule => $"{schedule.Length} steps");

    private static Exception? Play(int people, IReadOnlyCollection<Step> schedule)
    {
        using var world = new World(people);
        return Record.Exception(() => world.Play(schedule));
    }

    // Shorter than by chance: what is left out without a change was not what mattered.
    private static List<Step> Shorten(int people, List<Step> schedule)
    {
        for (var size = schedule.Count / 2; size > 0; size /= 2)
        {
            for (var i = 0; i + size <= schedule.Count;)
            {
                List<Step> shorter = [.. schedule[..i], .. schedule[(i + size)..]];
                if (Play(people, shorter) is null)
                {
                    i += size;
                }
                else
                {
                    schedule = shorter;
                }
            }
        }

        for (var i = 0; i < schedule.Count; i++)
        {
            List<Step> simpler = [.. schedule[..i], schedule[i] with { Fault = null }, .. schedule[(i + 1)..]];
            schedule = schedule[i].Fault is not null && Play(people, simpler) is not null ? simpler : schedule;
        }

        return schedule;
    }
}
