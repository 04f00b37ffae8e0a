using CsCheck;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.MessageServer.Tests.Support;

namespace KerberosMessaging.MessageServer.Tests.Domain;

public sealed class UnsettledEnvelopesTests
{
    private enum Step
    {
        Add,
        RemoveOldest,
        RemoveNewest,
        RemoveAny,
        RemoveAll,
        SkipNumbers,
    }

    private static readonly Gen<(Step Step, int Pick)> AnyStep = Gen.Select(
        Gen.Frequency(
            (30, Gen.Const(Step.Add)),
            (8, Gen.Const(Step.RemoveOldest)),
            (4, Gen.Const(Step.RemoveNewest)),
            (8, Gen.Const(Step.RemoveAny)),
            (1, Gen.Const(Step.RemoveAll)),
            (1, Gen.Const(Step.SkipNumbers))),
        Gen.Int[0, 10_000]);

    [Fact]
    public void It_holds_what_was_added_and_not_removed() => AnyStep.Array[0, 400].Sample(
        steps =>
        {
            var unsettled = new UnsettledEnvelopes();
            var model = new SortedDictionary<long, MailboxEnvelope>();
            var last = 0L;
            foreach (var (step, pick) in steps)
            {
                switch (step)
                {
                    case Step.Add:
                        model.Add(++last, Envelope(last));
                        unsettled.Add(model[last]);
                        Assert.Equal(last + 1, unsettled.End);
                        break;
                    case Step.RemoveAll:
                        foreach (var each in model.Values.ToArray())
                        {
                            Remove(each.Sequence);
                        }

                        break;
                    case Step.SkipNumbers:
                        // Numbers go on anywhere once nothing is left.
                        last += model.Count == 0 ? pick : 0;
                        break;
                    case not Step.Add when model.Count > 0:
                        var index = step == Step.RemoveOldest ? 0 : step == Step.RemoveNewest ? model.Count - 1 : pick % model.Count;
                        Remove(model.Keys.ElementAt(index));
                        break;
                    default:
                        break;
                }

                Assert.Equal(model.Count == 0, unsettled.IsEmpty);
                Assert.Equal(model.Count == 0 ? unsettled.End : model.Keys.First(), unsettled.First);
                for (var sequence = Math.Max(0, last - 600); sequence <= last + 2; sequence++)
                {
                    Assert.Same(model.GetValueOrDefault(sequence), unsettled.Find(sequence));
                }
            }

            void Remove(long sequence)
            {
                unsettled.Remove(model[sequence]);
                model.Remove(sequence);
            }
        },
        iter: 100);

    private static MailboxEnvelope Envelope(long sequence)
    {
        var send = new TestSend(TestSend.Of(TestDevice.Of("alice"), [TestDevice.Of("bob")], [1]), default);
        var envelope = new MailboxEnvelope(null!, send, [1], default);
        envelope.Number(sequence);
        return envelope;
    }
}
