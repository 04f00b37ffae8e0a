namespace KerberosMessaging.Client.Tests.Schedules;

/// <summary>Schedules that once went wrong, as short as they could be made.</summary>
public sealed class FoundScheduleTests
{
    [Fact]
    public void A_damaged_message_that_its_sender_has_no_answer_for_is_not_said_to_be_gone() => Play(
        2,
        new(Happening.Send, 0, 1),
        new(Happening.TakeAny, 1, 523),
        new(Happening.Send, 1, 219, new Fault(FaultKind.LostAnswer, 1)),
        new(Happening.Damage, 0, 458),
        new(Happening.TakeAll, 0, 904),
        new(Happening.TakeAll, 1, 183));

    [Fact]
    public void A_message_with_damaged_credentials_is_read_in_the_end() => Play(
        2,
        new(Happening.Send, 0, 361),
        new(Happening.Damage, 1, 966),
        new(Happening.Send, 0, 686));

    [Fact]
    public void A_message_that_was_sent_in_another_life_leaves_the_outbox() => Play(
        3,
        new(Happening.AddLinked, 0, 279, new Fault(FaultKind.OffBefore, 2)),
        new(Happening.Send, 0, 353, new Fault(FaultKind.LostAnswer, 3)),
        new(Happening.Image, 0, 639),
        new(Happening.TakeOldest, 0, 233),
        new(Happening.PutImageBack, 0, 135));

    private static void Play(int people, params Step[] schedule)
    {
        using var world = new World(people);
        world.Play(schedule);
    }
}
