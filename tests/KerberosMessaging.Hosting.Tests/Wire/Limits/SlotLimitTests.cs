using System.Net;
using KerberosMessaging.Hosting.Wire.Limits;

namespace KerberosMessaging.Hosting.Tests.Wire.Limits;

public sealed class SlotLimitTests
{
    private static readonly AddressBlock A = Address(1);
    private static readonly AddressBlock B = Address(2);

    [Fact]
    public void Slots_run_out_for_one_address_and_for_all()
    {
        var limit = new SlotLimit(most: 3, mostPerAddress: 2);
        Assert.Equal(SlotOutcome.Taken, limit.TryTake(A));
        Assert.Equal(SlotOutcome.Taken, limit.TryTake(A));
        Assert.Equal(SlotOutcome.AddressFull, limit.TryTake(A));
        Assert.Equal(SlotOutcome.Taken, limit.TryTake(B));
        Assert.Equal(SlotOutcome.Full, limit.TryTake(B));

        limit.Free(A);

        Assert.Equal(SlotOutcome.Taken, limit.TryTake(B));
        Assert.Equal(SlotOutcome.Full, limit.TryTake(A));
    }

    [Fact]
    public void Who_is_in_already_may_take_one_over_the_limit()
    {
        var limit = new SlotLimit(most: 1, mostPerAddress: 1);
        limit.Take(A);
        limit.Take(A);
        limit.Free(A);
        Assert.Equal(SlotOutcome.AddressFull, limit.TryTake(A));
        Assert.Equal(SlotOutcome.Full, limit.TryTake(B));

        limit.Free(A);

        Assert.Equal(SlotOutcome.Taken, limit.TryTake(B));
    }

    [Fact]
    public void Addresses_without_slots_are_not_remembered()
    {
        var limit = new SlotLimit(most: 100, mostPerAddress: 1);
        for (var i = 0; i < 10_000; i++)
        {
            Assert.Equal(i < 100 ? SlotOutcome.Taken : SlotOutcome.Full, limit.TryTake(Address(i)));
        }

        Assert.Equal(100, limit.Addresses);
        for (var i = 0; i < 100; i++)
        {
            limit.Free(Address(i));
        }

        Assert.Equal(0, limit.Addresses);
    }

    [Fact]
    public void A_connection_gives_back_what_it_holds_once()
    {
        var (open, handshakes, notSignedIn) = (new SlotLimit(9, 9), new SlotLimit(9, 9), new SlotLimit(9, 9));
        SlotLimit[] all = [open, handshakes, notSignedIn];
        Array.ForEach(all, static limit => limit.Take(A));
        var slots = new ConnectionSlots(A, open, handshakes, notSignedIn);

        slots.HandshakeDone();
        slots.HandshakeDone();
        Assert.Equal([1, 0, 1], all.Select(static limit => limit.Addresses));
        slots.SignedIn();
        slots.SignedIn();
        Assert.Equal([1, 0, 0], all.Select(static limit => limit.Addresses));
        slots.SignedOut();
        slots.SignedOut();
        Assert.Equal([1, 0, 1], all.Select(static limit => limit.Addresses));
        slots.Dispose();
        slots.Dispose();
        slots.SignedOut();
        Assert.Equal([0, 0, 0], all.Select(static limit => limit.Addresses));
    }

    private static AddressBlock Address(int number) => AddressBlock.Of(new IPEndPoint(new IPAddress(number), 1));
}
