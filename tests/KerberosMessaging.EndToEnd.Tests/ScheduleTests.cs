using System.Globalization;
using CsCheck;

namespace KerberosMessaging.EndToEnd.Tests;

/// <summary>Two devices and a network that does what networks do, played at random.</summary>
public sealed class ScheduleTests
{
    private enum Step
    {
        Send,
        DeliverOldest,
        DeliverAny,
        Drop,
        Repeat,
        NewSession,
        Rotate,
    }

    private static readonly Gen<(Step Step, int Party, int Pick)> AnyStep = Gen.Select(
        Gen.Frequency(
            (30, Gen.Const(Step.Send)),
            (20, Gen.Const(Step.DeliverOldest)),
            (15, Gen.Const(Step.DeliverAny)),
            (5, Gen.Const(Step.Drop)),
            (8, Gen.Const(Step.Repeat)),
            (3, Gen.Const(Step.NewSession)),
            (1, Gen.Const(Step.Rotate))),
        Gen.Int[0, 1],
        Gen.Int[0, 1000]);

    [Fact]
    public void Every_message_that_arrives_is_read_exactly_once_whatever_the_network_does() =>
        AnyStep.Array[1, 120].Sample(
            steps =>
            {
                using var world = new World();
                foreach (var (step, party, pick) in steps)
                {
                    world.Play(step, party, pick);
                }

                world.DeliverTheRest();
            },
            iter: 150,
            threads: 2);

    private sealed record Mail(byte[] Envelope, string Text);

    private sealed class World : IDisposable
    {
        // Five sessions are kept, so with no more in all, on both sides, none is ever dropped.
        private const int SessionLimit = PeerSessions.MaxSessions;

        private readonly Device[] _devices = [new(), new()];
        private readonly List<Mail>[] _onTheWayTo = [[], []];
        private readonly List<Mail>[] _arrivedAt = [[], []];
        private int _sessions;
        private int _messages;
        private int _rotations;

        public void Play(Step step, int party, int pick)
        {
            var onTheWay = _onTheWayTo[party];
            switch (step)
            {
                case Step.Send:
                    Send(party);
                    break;
                case Step.DeliverOldest when onTheWay.Count > 0:
                    Deliver(party, 0);
                    break;
                case Step.DeliverAny when onTheWay.Count > 0:
                    Deliver(party, pick % onTheWay.Count);
                    break;
                case Step.Drop when onTheWay.Count > 0:
                    onTheWay.RemoveAt(pick % onTheWay.Count);
                    break;
                case Step.Repeat when _arrivedAt[party].Count > 0:
                    var repeated = _arrivedAt[party][pick % _arrivedAt[party].Count];
                    _devices[party].MustRefuse(_devices[1 - party], repeated.Envelope, DecryptResult.Duplicate);
                    break;
                case Step.NewSession:
                    StartSession(party);
                    break;
                case Step.Rotate when _rotations++ == 0:
                    // Once only: the prekeys before the previous ones are gone, and messages to them with them.
                    _devices[party].Prekeys.Rotate(_devices[party].Identity);
                    break;
            }

            _devices[party].Restart();
        }

        public void DeliverTheRest()
        {
            for (var party = 0; party < 2; party++)
            {
                while (_onTheWayTo[party].Count > 0)
                {
                    Deliver(party, _onTheWayTo[party].Count - 1);
                }

                foreach (var mail in _arrivedAt[party])
                {
                    _devices[party].MustRefuse(_devices[1 - party], mail.Envelope, DecryptResult.Duplicate);
                }
            }
        }

        public void Dispose()
        {
            foreach (var device in _devices)
            {
                device.Dispose();
            }
        }

        private void StartSession(int party)
        {
            if (_sessions < SessionLimit)
            {
                _devices[party].Start(_devices[1 - party]);
                _sessions++;
            }
        }

        private void Send(int party)
        {
            if (!_devices[party].Sessions.HasSession)
            {
                StartSession(party);
            }

            if (_devices[party].Sessions.HasSession)
            {
                var text = (_messages++).ToString(CultureInfo.InvariantCulture);
                _onTheWayTo[1 - party].Add(new Mail(_devices[party].Send(text), text));
            }
        }

        private void Deliver(int party, int index)
        {
            var mail = _onTheWayTo[party][index];
            _onTheWayTo[party].RemoveAt(index);
            _devices[party].MustRead(_devices[1 - party], mail.Envelope, mail.Text);
            _arrivedAt[party].Add(mail);
        }
    }
}
