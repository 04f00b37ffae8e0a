using CsCheck;

namespace KerberosMessaging.EndToEnd.Tests;

/// <summary>How often a secret of ML-KEM-768 enters the root, as long as both sides send the answers that they are asked for.</summary>
public sealed class RefreshTests
{
    private const int MaxMessages = 50;

    private static readonly TimeSpan MaxTime = TimeSpan.FromDays(7);

    [Fact]
    public void A_chain_offers_a_kem_key_in_all_of_its_headers_and_the_next_one_answers_it_in_all_of_its_own()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            alice.Clock.Advance(TimeSpan.FromDays(2));
            for (var i = 0; i < 3; i++)
            {
                var offer = alice.Send("offer");
                Assert.Equal(1280, HeaderSize(offer));
                bob.MustRead(alice, offer, "offer");
            }

            var lost = bob.Send("lost");
            for (var i = 0; i < 3; i++)
            {
                var answer = bob.Send("answer");
                Assert.Equal(1184, HeaderSize(answer));
                alice.MustRead(bob, answer, "answer");
                alice.Restart();
                bob.Restart();
            }

            alice.MustRead(bob, lost, "lost");
            var after = alice.Send("after");
            Assert.Equal(96, HeaderSize(after));
            bob.MustRead(alice, after, "after");
        }
    }

    [Fact]
    public void An_offer_or_answer_whose_first_messages_are_lost_is_taken_from_a_later_one()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            alice.Clock.Advance(TimeSpan.FromDays(2));
            alice.Send("lost");
            alice.Send("lost");
            bob.MustRead(alice, alice.Send("offer"), "offer");
            bob.Send("lost");
            var answer = bob.Send("answer");
            Assert.Equal(1184, HeaderSize(answer));
            alice.MustRead(bob, answer, "answer");
            bob.MustRead(alice, alice.Send("on"), "on");
            alice.MustRead(bob, bob.Send("on"), "on");
        }
    }

    [Fact]
    public void An_answer_is_wanted_after_twelve_messages_or_two_days_and_no_more_once_it_is_sent()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            Assert.True(bob.Sessions.HasSession);
            Assert.False(bob.Sessions.WantsAnswer(bob.Now));
            for (var i = 0; i < 12; i++)
            {
                Assert.False(bob.Sessions.WantsAnswer(bob.Now));
                bob.MustRead(alice, alice.Send("one of many"), "one of many");
            }

            Assert.True(bob.Sessions.WantsAnswer(bob.Now));
            bob.Restart();
            Assert.True(bob.Sessions.WantsAnswer(bob.Now));
            var answer = bob.Send("answer");
            Assert.False(bob.Sessions.WantsAnswer(bob.Now));

            alice.MustRead(bob, answer, "answer");
            Assert.False(alice.Sessions.WantsAnswer(alice.Now));
            alice.Clock.Advance(TimeSpan.FromDays(2) - TimeSpan.FromSeconds(1));
            Assert.False(alice.Sessions.WantsAnswer(alice.Now));
            alice.Clock.Advance(TimeSpan.FromSeconds(1));
            Assert.True(alice.Sessions.WantsAnswer(alice.Now));

            // Nobody waits for an answer of Bob, however long ago he wrote.
            Assert.False(bob.Sessions.WantsAnswer(bob.Now.AddYears(1)));
            using var stranger = PeerSessions.Create();
            Assert.False(stranger.WantsAnswer(bob.Now));
        }
    }

    [Fact]
    public void A_clock_that_was_far_off_does_not_keep_a_session_from_its_refresh()
    {
        using var alice = new Device();
        using var bob = new Device(alice.Clock);
        var future = alice.Now.AddYears(50);
        alice.Sessions.StartSession(alice.Identity, [], bob.Public, bob.Prekeys.Bundle, null, null, future);
        var first = alice.Sessions.Encrypt("first"u8, Device.MessageId, future);
        bob.MustRead(alice, first, "first");
        alice.MustRead(bob, bob.Send("answer"), "answer");
        var second = alice.Send("second");
        Assert.Equal(1280, HeaderSize(second));
        bob.MustRead(alice, second, "second");
    }

    [Fact]
    public void A_random_conversation_is_refreshed_often_enough() =>
        Gen.Int[0, 1].Array[200, 400].Sample(
            senders =>
            {
                using var conversation = new Conversation();
                foreach (var sender in senders)
                {
                    conversation.Send(sender);
                    conversation.Answer();
                }

                Assert.True(conversation.Refreshes >= senders.Length / MaxMessages);
            },
            iter: 30,
            threads: 2);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_conversation_in_which_one_side_only_answers_is_refreshed_often_enough(int sender)
    {
        using var conversation = new Conversation();
        for (var i = 0; i < 300; i++)
        {
            conversation.Send(sender);
            conversation.Answer();
        }

        Assert.True(conversation.Refreshes >= 300 / MaxMessages);
    }

    [Fact]
    public void A_strict_exchange_of_messages_is_refreshed_often_enough()
    {
        using var conversation = new Conversation();
        for (var i = 0; i < 300; i++)
        {
            conversation.Send(i % 2);
            conversation.Answer();
        }

        Assert.True(conversation.Refreshes >= 300 / MaxMessages);
    }

    [Fact]
    public void Bursts_of_messages_are_refreshed_often_enough() =>
        Gen.Int[1, 12].Array[20, 40].Sample(
            bursts =>
            {
                using var conversation = new Conversation();
                for (var i = 0; i < bursts.Length; i++)
                {
                    for (var message = 0; message < bursts[i]; message++)
                    {
                        conversation.Send(i % 2);
                        conversation.Answer();
                    }
                }
            },
            iter: 30,
            threads: 2);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void A_conversation_of_one_message_a_day_is_refreshed_often_enough(int pattern)
    {
        using var conversation = new Conversation();
        for (var day = 0; day < 120; day++)
        {
            conversation.Wait(TimeSpan.FromDays(1));
            conversation.Answer();
            conversation.Send(pattern == 2 ? day % 2 : pattern);
            conversation.Answer();
        }

        Assert.True(conversation.Refreshes >= 120 / 7);
    }

    [Fact]
    public void A_conversation_at_any_slow_pace_is_refreshed_often_enough() =>
        Gen.Select(Gen.Int[0, 1], Gen.Int[0, 30]).Array[50, 100].Sample(
            steps =>
            {
                using var conversation = new Conversation();
                foreach (var (sender, hours) in steps)
                {
                    // Devices look every hour whether an answer is wanted.
                    for (var hour = 0; hour < hours; hour++)
                    {
                        conversation.Wait(TimeSpan.FromHours(1));
                        conversation.Answer();
                    }

                    conversation.Send(sender);
                    conversation.Answer();
                }
            },
            iter: 60,
            threads: 2);

    private static int HeaderSize(byte[] envelope) => ReferenceEnvelope.Of(envelope).SealedHeader.Length;

    /// <summary>Two devices whose messages arrive at once, with a count of what was sent since the last KEM secret.</summary>
    private sealed class Conversation : IDisposable
    {
        private readonly Device[] _devices;
        private readonly byte[][] _ratchetKeys = [[], []];
        private DateTimeOffset _refreshedAt;
        private int _messages;

        public Conversation()
        {
            var (alice, bob) = Device.EstablishedPair();
            _devices = [alice, bob];
            _refreshedAt = alice.Now;
        }

        public int Refreshes { get; private set; }

        public void Wait(TimeSpan time) => _devices[0].Clock.Advance(time);

        public void Send(int sender)
        {
            var (from, to) = (_devices[sender], _devices[1 - sender]);
            var envelope = from.Send("text");
            to.MustRead(from, envelope, "text");
            _messages++;
            Assert.InRange(_messages, 0, MaxMessages);
            Assert.InRange(from.Now - _refreshedAt, TimeSpan.Zero, MaxTime);

            // The first message of a chain that answers an offer takes the secret in.
            var ratchetKey = StateView.Active(from.State()).Sending!.RatchetPublic;
            var isNewChain = !ratchetKey.AsSpan().SequenceEqual(_ratchetKeys[sender]);
            _ratchetKeys[sender] = ratchetKey;
            if (isNewChain && HeaderSize(envelope) == 1184)
            {
                (_messages, _refreshedAt) = (0, from.Now);
                Refreshes++;
            }
        }

        public void Answer()
        {
            // One answer never wants another at once.
            for (var i = 0; i < 4; i++)
            {
                var wanting = i % 2;
                if (_devices[wanting].Sessions.WantsAnswer(_devices[wanting].Now))
                {
                    Send(wanting);
                    Assert.False(_devices[wanting].Sessions.WantsAnswer(_devices[wanting].Now));
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
    }
}
