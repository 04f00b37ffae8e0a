using System.Globalization;
using System.Security.Cryptography;
using CsCheck;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.EndToEnd.Tests;

/// <summary>Two devices and a network that does what networks do, played at random.</summary>
public sealed class ScheduleTests
{
    private enum Step
    {
        Send,
        Answer,
        DeliverOldest,
        DeliverAny,
        Drop,
        Repeat,
        NewSession,
        Rotate,
        Wait,
    }

    private static readonly Gen<(Step Step, int Party, int Pick)> AnyStep = Gen.Select(
        Gen.Frequency(
            (30, Gen.Const(Step.Send)),
            (5, Gen.Const(Step.Answer)),
            (20, Gen.Const(Step.DeliverOldest)),
            (15, Gen.Const(Step.DeliverAny)),
            (5, Gen.Const(Step.Drop)),
            (8, Gen.Const(Step.Repeat)),
            (3, Gen.Const(Step.NewSession)),
            (1, Gen.Const(Step.Rotate)),
            (5, Gen.Const(Step.Wait))),
        Gen.Int[0, 1],
        Gen.Int[0, 1000]);

    [Fact]
    public void Every_message_that_arrives_is_read_exactly_once_whatever_the_network_does() =>
        AnyStep.Array[1, 80].Sample(
            steps =>
            {
                using var world = new World(isWild: false);
                world.Play(steps);
            },
            iter: 1000,
            threads: 2);

    [Fact]
    public void Every_message_is_read_once_or_refused_however_often_sessions_and_prekeys_are_lost() =>
        AnyStep.Array[1, 80].Sample(
            steps =>
            {
                using var world = new World(isWild: true);
                world.Play(steps);
            },
            iter: 1000,
            threads: 2);

    private sealed record Mail(byte[] Envelope, byte[] Id, string Text);

    private sealed class World : IDisposable
    {
        // Five sessions are kept, so with no more in all, on both sides, none is ever dropped.
        private const int SessionLimit = PeerSessions.MaxSessions;

        // Nothing is given up for its age within this time.
        private static readonly TimeSpan TimeLimit = TimeSpan.FromDays(34);

        private readonly bool _isWild;
        private readonly FakeTimeProvider _clock = new(Device.Epoch);
        private readonly Device[] _devices;
        private readonly List<Mail>[] _onTheWayTo = [[], []];
        private readonly List<Mail>[] _arrivedAt = [[], []];
        private readonly Queue<OneTimePublicPrekey>[] _oneTimeOf;
        private readonly Queue<OneTimePublicPrekey>[] _oneTimeKemOf;
        private int _sessions;
        private int _messages;
        private int _rotations;

        public World(bool isWild)
        {
            _isWild = isWild;
            _devices = [new(_clock), new(_clock)];
            foreach (var device in _devices)
            {
                device.Prekeys.AddOneTime(2, 2);
            }

            _oneTimeOf = [.. _devices.Select(device => new Queue<OneTimePublicPrekey>(device.Prekeys.X25519Above(0)))];
            _oneTimeKemOf = [.. _devices.Select(device => new Queue<OneTimePublicPrekey>(device.Prekeys.MlKem768Above(0, device.Identity)))];
        }

        public void Play((Step Step, int Party, int Pick)[] steps)
        {
            foreach (var (step, party, pick) in steps)
            {
                Play(step, party, pick);
                _devices[party].Restart();
            }

            DeliverTheRest();
            GoOnAfterwards();
        }

        public void Dispose()
        {
            foreach (var device in _devices)
            {
                device.Dispose();
            }
        }

        private void Play(Step step, int party, int pick)
        {
            var device = _devices[party];
            var onTheWay = _onTheWayTo[party];
            switch (step)
            {
                case Step.Send:
                case Step.Answer when device.Sessions.WantsAnswer(device.Now):
                    Send(party, pick);
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
                    Repeat(party, _arrivedAt[party][pick % _arrivedAt[party].Count]);
                    break;
                case Step.NewSession:
                    StartSession(party, pick);
                    break;
                case Step.Rotate when _isWild || _rotations++ == 0:
                    // Once only: the prekeys before the previous ones are gone, and messages to them with them.
                    device.Prekeys.Rotate(device.Identity, device.Now);
                    break;
                case Step.Wait:
                    var wait = TimeSpan.FromHours(pick);
                    if (_isWild || _clock.GetUtcNow() + wait < Device.Epoch + TimeLimit)
                    {
                        _clock.Advance(wait);
                    }

                    break;
            }
        }

        private void DeliverTheRest()
        {
            for (var party = 0; party < 2; party++)
            {
                while (_onTheWayTo[party].Count > 0)
                {
                    Deliver(party, _onTheWayTo[party].Count - 1);
                }

                foreach (var mail in _arrivedAt[party])
                {
                    Repeat(party, mail);
                }
            }
        }

        private void GoOnAfterwards()
        {
            _devices[0].Start(_devices[1]);
            _devices[1].MustRead(_devices[0], _devices[0].Send("still here?"), "still here?");
            _devices[0].MustRead(_devices[1], _devices[1].Send("yes"), "yes");
        }

        private void StartSession(int party, int pick)
        {
            if (!_isWild && _sessions >= SessionLimit)
            {
                return;
            }

            _devices[party].Start(
                _devices[1 - party],
                pick % 2 == 0 ? GiveOut(_oneTimeOf[1 - party]) : null,
                pick % 3 == 0 ? GiveOut(_oneTimeKemOf[1 - party]) : null);
            _sessions++;
        }

        // A server gives every one-time prekey out once; that one gives the last out again and again is for the wild.
        private OneTimePublicPrekey? GiveOut(Queue<OneTimePublicPrekey> keys) =>
            keys.Count == 0 ? null : _isWild && keys.Count == 1 ? keys.Peek() : keys.Dequeue();

        private void Send(int party, int pick)
        {
            if (!_devices[party].Sessions.HasSession)
            {
                StartSession(party, pick);
            }

            if (_devices[party].Sessions.HasSession)
            {
                var text = (_messages++).ToString(CultureInfo.InvariantCulture);
                var id = RandomNumberGenerator.GetBytes(16);
                _onTheWayTo[1 - party].Add(new Mail(_devices[party].Send(text, id), id, text));
            }
        }

        private void Deliver(int party, int index)
        {
            var mail = _onTheWayTo[party][index];
            _onTheWayTo[party].RemoveAt(index);
            var (device, sender) = (_devices[party], _devices[1 - party]);
            if (!_isWild)
            {
                device.MustRead(sender, mail.Envelope, mail.Id, mail.Text);
                _arrivedAt[party].Add(mail);
                return;
            }

            var before = device.State();
            var result = device.Read(sender, mail.Envelope, mail.Id, out var text);
            if (result == DecryptResult.Ok)
            {
                Assert.Equal(mail.Text, text);
                _arrivedAt[party].Add(mail);
            }
            else
            {
                Assert.Contains(result, new[] { DecryptResult.NoSession, DecryptResult.UnknownPrekey, DecryptResult.Duplicate });
                Assert.Empty(text);
                Assert.Equal(before, device.State());
            }
        }

        private void Repeat(int party, Mail mail) => _devices[party].MustRefuse(
            _devices[1 - party].Public, mail.Envelope, mail.Id, _isWild ? AfterLosses : [DecryptResult.Duplicate, DecryptResult.NoSession]);

        private static DecryptResult[] AfterLosses => [DecryptResult.Duplicate, DecryptResult.NoSession, DecryptResult.UnknownPrekey];
    }
}
