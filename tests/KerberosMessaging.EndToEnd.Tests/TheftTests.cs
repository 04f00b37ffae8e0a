using System.Globalization;
using CsCheck;

namespace KerberosMessaging.EndToEnd.Tests;

/// <summary>
/// Somebody steals the stored state of one side at a random moment of a random conversation, and sees every envelope before and
/// after. <see cref="Observer"/> works out all that follows from what he has.
/// </summary>
public sealed class TheftTests
{
    private static readonly Gen<(int Party, int Action, int Pick)[]> Steps =
        Gen.Select(Gen.Int[0, 1], Gen.Int[0, 9], Gen.Int[0, 100]).Array[30, 90];

    [Fact]
    public void What_was_read_before_the_theft_stays_secret()
    {
        var pending = 0;
        Gen.Select(Steps, Gen.Int[0, 100], Gen.Int[0, 1]).Sample(
            (steps, moment, victim) =>
            {
                using var world = new World(steps, moment * steps.Length / 100, victim);
                var thief = world.Thief;
                foreach (var mail in world.Mails.Where(mail => mail.SentAt < world.TheftAt && mail.To == victim))
                {
                    var opened = thief.Open(0, mail.Envelope, Device.MessageId) is not null;

                    // Only what the victim itself could still read: what has not arrived yet.
                    Assert.False(opened && mail.ReadAt < world.TheftAt);
                    Interlocked.Add(ref pending, opened ? 1 : 0);
                }

                // What the victim has sent, it cannot read either: no key of it is kept.
                foreach (var mail in world.Mails.Where(mail => mail.SentAt < world.TheftAt && mail.To != victim))
                {
                    Assert.Null(thief.Open(1, mail.Envelope, Device.MessageId));
                }
            },
            iter: 100,
            threads: 2);
        Assert.True(pending > 0);
    }

    [Fact]
    public void A_thief_who_only_listens_is_locked_out_after_a_full_turn() =>
        Gen.Select(Steps, Gen.Int[0, 60], Gen.Int[0, 1]).Sample(
            (steps, moment, victim) =>
            {
                using var world = new World(steps, moment * steps.Length / 100, victim);
                var thief = world.Thief;
                var lockedOut = new HashSet<string>();
                var isHealed = false;
                foreach (var mail in world.Mails.Where(mail => mail.SentAt >= world.TheftAt))
                {
                    // The victim's first own chain after the theft has a ratchet key that is not the thief's, and all
                    // that begins later follows from it. Chains that had begun before go on to their end.
                    isHealed |= mail.To != victim && mail.BeginsChain;
                    if (mail.BeginsChain && isHealed)
                    {
                        lockedOut.Add(mail.Chain);
                    }

                    var opened = thief.Open(mail.To == victim ? 0 : 1, mail.Envelope, Device.MessageId);
                    Assert.False(opened is not null && lockedOut.Contains(mail.Chain));
                }

                // After the turns at the end there are no others.
                Assert.All(world.Mails.TakeLast(2), mail => Assert.Contains(mail.Chain, lockedOut));
            },
            iter: 100,
            threads: 2);

    [Fact]
    public void A_thief_who_solves_every_later_diffie_hellman_is_locked_out_after_an_ml_kem_refresh()
    {
        var openedBefore = 0;
        var locked = 0;
        Gen.Select(Steps, Gen.Int[0, 20], Gen.Int[0, 1]).Sample(
            (steps, moment, victim) =>
            {
                using var world = new World([.. steps, .. steps, .. steps], moment * steps.Length / 100, victim);
                var thief = world.Thief;

                // An exchange whose KEM key was made before the theft may be the thief's, too.
                var lockedOut = new HashSet<string>();
                var (isOffered, isRefreshed) = (false, false);
                foreach (var mail in world.Mails.Where(mail => mail.SentAt >= world.TheftAt))
                {
                    thief.LearnFrom(mail.Sender, withKem: false);
                    var opened = thief.Open(mail.To == victim ? 0 : 1, mail.Envelope, Device.MessageId) is not null;
                    if (mail.BeginsChain)
                    {
                        isRefreshed |= isOffered && mail.Sender.Sending!.KemPartKind == Reference.Ciphertext;
                        isOffered |= mail.Sender.Sending!.KemPartKind == Reference.Offer;
                        if (isRefreshed)
                        {
                            lockedOut.Add(mail.Chain);
                        }
                    }

                    if (lockedOut.Contains(mail.Chain))
                    {
                        Assert.False(opened);
                        Interlocked.Increment(ref locked);
                    }
                    else if (opened)
                    {
                        Interlocked.Increment(ref openedBefore);
                    }
                }
            },
            iter: 60,
            threads: 2);

        // It is the KEM that locks him out, and nothing else: until then he reads on through many turns.
        Assert.True(openedBefore > 200, $"{openedBefore} messages were opened before a refresh");
        Assert.True(locked > 200, $"{locked} messages were not opened after a refresh");
    }

    [Fact]
    public void With_the_kem_secrets_as_well_the_same_thief_reads_everything() =>
        Gen.Select(Steps, Gen.Int[0, 1]).Sample(
            (steps, victim) =>
            {
                using var world = new World(steps, 0, victim);
                var thief = world.Thief;
                foreach (var mail in world.Mails.Where(mail => mail.SentAt >= world.TheftAt))
                {
                    thief.LearnFrom(mail.Sender, withKem: true);
                    var opened = thief.Open(mail.To == victim ? 0 : 1, mail.Envelope, Device.MessageId);
                    Assert.Equal(mail.Text, opened is null ? null : System.Text.Encoding.UTF8.GetString(opened));
                }
            },
            iter: 40,
            threads: 2);

    private sealed record Mail(
        byte[] Envelope, string Text, int To, int SentAt, SessionView Sender, bool BeginsChain)
    {
        public int ReadAt { get; set; } = int.MaxValue;

        public string Chain => Convert.ToHexString(Sender.Sending!.RatchetPublic);
    }

    private sealed class World : IDisposable
    {
        private readonly Device[] _devices;
        private readonly List<Mail>[] _onTheWayTo = [[], []];
        private readonly int _step;

        public World((int Party, int Action, int Pick)[] steps, int theftAt, int victim)
        {
            var (alice, bob) = Device.EstablishedPair();
            _devices = [alice, bob];
            TheftAt = theftAt;
            byte[]? stolen = null;
            foreach (var (party, action, pick) in steps)
            {
                stolen = _step == theftAt ? _devices[victim].State() : stolen;
                Play(party, action, pick);
                _step++;
            }

            Stolen = StateView.Active(stolen ?? _devices[victim].State());

            // So that both sides have turned after the theft in any case.
            for (var turn = 0; turn < 8; turn++)
            {
                Send(turn % 2);
                DeliverAll(1 - (turn % 2));
            }
        }

        public List<Mail> Mails { get; } = [];

        public int TheftAt { get; }

        public SessionView Stolen { get; }

        public Observer Thief => Observer.WithStolen(Stolen);

        public void Dispose()
        {
            foreach (var device in _devices)
            {
                device.Dispose();
            }
        }

        private void Play(int party, int action, int pick)
        {
            switch (action)
            {
                case < 5:
                    Send(party);
                    break;
                case < 8:
                    DeliverAll(party);
                    break;
                case 8 when _onTheWayTo[party].Count > 0:
                    Deliver(party, pick % _onTheWayTo[party].Count);
                    break;
                case 9:
                    _devices[0].Clock.Advance(TimeSpan.FromHours(pick / 10));
                    break;
            }
        }

        private void Send(int party)
        {
            var device = _devices[party];
            var text = Mails.Count.ToString(CultureInfo.InvariantCulture);
            var before = StateView.Active(device.State());
            var envelope = device.Send(text);
            var after = StateView.Active(device.State());
            var mail = new Mail(envelope, text, 1 - party, _step, after, before.Sending is null);
            Mails.Add(mail);
            _onTheWayTo[1 - party].Add(mail);
        }

        private void DeliverAll(int party)
        {
            while (_onTheWayTo[party].Count > 0)
            {
                Deliver(party, 0);
            }
        }

        private void Deliver(int party, int index)
        {
            var mail = _onTheWayTo[party][index];
            _onTheWayTo[party].RemoveAt(index);
            _devices[party].MustRead(_devices[1 - party], mail.Envelope, mail.Text);
            mail.ReadAt = _step;
        }
    }
}
