using System.Security.Cryptography;

namespace KerberosMessaging.EndToEnd.Tests;

public sealed class ConversationTests
{
    private static EnvelopeKind KindOf(byte[] envelope)
    {
        Assert.True(EnvelopeFormat.TryReadKind(envelope, out var kind));
        return kind;
    }

    [Fact]
    public void Both_sides_read_each_other_over_many_turns()
    {
        var (alice, bob) = Device.Pair();
        using (alice)
        using (bob)
        {
            for (var turn = 0; turn < 20; turn++)
            {
                bob.MustRead(alice, alice.Send($"a{turn}"), $"a{turn}");
                bob.MustRead(alice, alice.Send($"b{turn}"), $"b{turn}");
                alice.MustRead(bob, bob.Send($"c{turn}"), $"c{turn}");
            }
        }
    }

    [Fact]
    public void Prekey_envelopes_are_sent_until_the_peer_has_answered()
    {
        var (alice, bob) = Device.Pair();
        using (alice)
        using (bob)
        {
            Assert.Equal(EnvelopeKind.Prekey, KindOf(alice.Send("lost")));
            var first = alice.Send("first");
            Assert.Equal(EnvelopeKind.Prekey, KindOf(first));
            bob.MustRead(alice, first, "first");
            var answer = bob.Send("answer");
            Assert.Equal(EnvelopeKind.Ratchet, KindOf(answer));
            Assert.Equal(EnvelopeKind.Prekey, KindOf(alice.Send("still unanswered")));
            alice.MustRead(bob, answer, "answer");
            Assert.Equal(EnvelopeKind.Ratchet, KindOf(alice.Send("established")));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(64 * 1024)]
    public void Messages_of_every_size_are_read(int size)
    {
        var (alice, bob) = Device.Pair();
        using (alice)
        using (bob)
        {
            var plaintext = RandomNumberGenerator.GetBytes(size);
            var first = alice.Sessions.Encrypt(plaintext, Device.MessageId, alice.Now);
            Assert.Equal(
                DecryptResult.Ok,
                bob.Sessions.Decrypt(bob.Identity, bob.Prekeys, alice.Public, first, Device.MessageId, bob.Now, out var read));
            Assert.Equal(plaintext, read);

            var answer = bob.Sessions.Encrypt(plaintext, Device.MessageId, bob.Now);
            Assert.Equal(
                DecryptResult.Ok,
                alice.Sessions.Decrypt(alice.Identity, alice.Prekeys, bob.Public, answer, Device.MessageId, alice.Now, out read));
            Assert.Equal(plaintext, read);
            var body = (((size / 16) + 1) * 16) + 32;
            Assert.Equal(2 + 2 + 96 + body, answer.Length);
            Assert.Equal(2 + 1199 + alice.Credentials.Length + 2 + 96 + body, first.Length);
        }
    }

    [Fact]
    public void Equal_messages_have_nothing_in_common_on_the_wire()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            var one = alice.Send("the same text");
            var two = alice.Send("the same text");
            for (var at = 4; at < one.Length; at += 16)
            {
                Assert.NotEqual(one[at..(at + 16)], two[at..(at + 16)]);
            }
        }
    }

    [Fact]
    public void The_credentials_and_identity_can_be_read_before_decrypting()
    {
        using var alice = new Device { Credentials = RandomNumberGenerator.GetBytes(500) };
        using var bob = new Device();
        alice.Start(bob);
        var envelope = alice.Send("first");
        Assert.True(EnvelopeFormat.TryReadCredentials(envelope, out var credentials));
        Assert.Equal(alice.Credentials, credentials.ToArray());
        Assert.True(EnvelopeFormat.TryReadSenderIdentity(envelope, out var identity));
        Assert.Equal(alice.Public, identity);

        bob.MustRead(alice, envelope, "first");
        var answer = bob.Send("answer");
        Assert.False(EnvelopeFormat.TryReadCredentials(answer, out _));
        Assert.False(EnvelopeFormat.TryReadSenderIdentity(answer, out _));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(EnvelopeFormat.MaxCredentialsSize)]
    public void Credentials_of_every_length_travel(int size)
    {
        using var alice = new Device { Credentials = new byte[size] };
        using var bob = new Device();
        alice.Start(bob);
        bob.MustRead(alice, alice.Send("first"), "first");
    }

    [Fact]
    public void Credentials_that_do_not_fit_are_refused()
    {
        using var alice = new Device { Credentials = new byte[EnvelopeFormat.MaxCredentialsSize + 1] };
        using var bob = new Device();
        Assert.Throws<ArgumentException>(() => alice.Start(bob));
    }

    [Fact]
    public void Nothing_is_sent_without_a_session()
    {
        using var alice = new Device();
        Assert.False(alice.Sessions.HasSession);
        Assert.Throws<InvalidOperationException>(() => alice.Send("never in plaintext"));
    }

    [Fact]
    public void A_ratchet_envelope_without_a_session_is_named_so()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            using var forgetful = new Device();
            forgetful.MustRefuse(alice, alice.Send("who is this?"), DecryptResult.NoSession);
        }
    }
}
