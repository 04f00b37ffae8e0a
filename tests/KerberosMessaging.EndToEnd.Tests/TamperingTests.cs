using System.Buffers.Binary;
using CsCheck;

namespace KerberosMessaging.EndToEnd.Tests;

public sealed class TamperingTests
{
    private static readonly DecryptResult[] Refusals =
    [
        DecryptResult.Malformed,
        DecryptResult.NoSession,
        DecryptResult.UnknownPrekey,
        DecryptResult.BadMac,
        DecryptResult.TooManySkipped,
        DecryptResult.Duplicate,
        DecryptResult.WrongIdentity,
    ];

    private static void RefusesEveryFlip(Device bob, Device alice, byte[] envelope, string text)
    {
        for (var i = 0; i < envelope.Length; i++)
        {
            foreach (var mask in new byte[] { 0x01, 0x80 })
            {
                envelope[i] ^= mask;
                bob.MustRefuse(alice, envelope, Refusals);
                envelope[i] ^= mask;
            }
        }

        bob.MustRead(alice, envelope, text);
    }

    [Fact]
    public void A_ratchet_envelope_with_any_byte_changed_is_refused_and_changes_nothing()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            RefusesEveryFlip(bob, alice, alice.Send("in a new chain, two blocks"), "in a new chain, two blocks");
            RefusesEveryFlip(bob, alice, alice.Send("in the current chain"), "in the current chain");
            var skipped = alice.Send("skipped");
            bob.MustRead(alice, alice.Send("over it"), "over it");
            RefusesEveryFlip(bob, alice, skipped, "skipped");
        }
    }

    [Fact]
    public void A_prekey_envelope_with_any_byte_changed_is_refused_and_changes_nothing()
    {
        var (alice, bob) = Device.Pair();
        using (alice)
        using (bob)
        {
            RefusesEveryFlip(bob, alice, alice.Send("starts the session"), "starts the session");
        }
    }

    [Fact]
    public void A_prekey_envelope_of_a_known_session_with_any_byte_changed_is_refused_and_changes_nothing()
    {
        var (alice, bob) = Device.Pair();
        using (alice)
        using (bob)
        {
            bob.MustRead(alice, alice.Send("starts the session"), "starts the session");
            RefusesEveryFlip(bob, alice, alice.Send("not answered yet"), "not answered yet");
        }
    }

    [Fact]
    public void An_envelope_cut_off_anywhere_is_malformed()
    {
        var (alice, bob) = Device.Pair();
        using (alice)
        using (bob)
        {
            // One block of ciphertext: with more, cutting whole blocks leaves something that is well-formed.
            var prekey = alice.Send("one block");
            for (var length = 0; length < prekey.Length; length++)
            {
                bob.MustRefuse(alice, prekey.AsSpan(0, length), DecryptResult.Malformed);
            }

            bob.MustRead(alice, prekey, "one block");
            alice.MustRead(bob, bob.Send("answer"), "answer");
            var ratchet = alice.Send("one block");
            for (var length = 0; length < ratchet.Length; length++)
            {
                bob.MustRefuse(alice, ratchet.AsSpan(0, length), DecryptResult.Malformed);
            }

            bob.MustRead(alice, ratchet, "one block");
        }
    }

    [Fact]
    public void Cutting_or_appending_whole_blocks_is_refused()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            var envelope = alice.Send(new string('x', 100));
            bob.MustRefuse(alice, envelope.AsSpan(0, envelope.Length - 16), DecryptResult.BadMac);
            bob.MustRefuse(alice, [.. envelope, .. new byte[16]], DecryptResult.BadMac);
            bob.MustRefuse(alice, [.. envelope, 0], DecryptResult.Malformed);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(255)]
    public void Another_version_is_malformed(byte version)
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            var envelope = alice.Send("from the future");
            envelope[0] = version;
            bob.MustRefuse(alice, envelope, DecryptResult.Malformed);
        }
    }

    [Fact]
    public void The_message_number_that_no_counter_can_pass_is_malformed()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            var envelope = alice.Send("the end");
            BinaryPrimitives.WriteUInt32BigEndian(envelope.AsSpan(38), uint.MaxValue);
            bob.MustRefuse(alice, envelope, DecryptResult.Malformed);
            BinaryPrimitives.WriteUInt32BigEndian(envelope.AsSpan(38), uint.MaxValue - 1);
            bob.MustRefuse(alice, envelope, DecryptResult.TooManySkipped);
        }
    }

    [Fact]
    public void An_all_zero_ratchet_key_is_refused()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            var envelope = alice.Send("zero");
            envelope.AsSpan(2, 32).Clear();
            bob.MustRefuse(alice, envelope, DecryptResult.BadMac);
        }
    }

    [Fact]
    public void An_all_zero_base_key_is_refused()
    {
        var (alice, bob) = Device.Pair();
        using (alice)
        using (bob)
        {
            var envelope = alice.Send("zero");
            envelope.AsSpan(74, 32).Clear();
            bob.MustRefuse(alice, envelope, DecryptResult.BadMac);
        }
    }

    [Fact]
    public void An_answer_under_the_signed_prekey_is_refused()
    {
        var (alice, bob) = Device.Pair();
        using (alice)
        using (bob)
        {
            bob.MustRead(alice, alice.Send("first"), "first");
            var answer = bob.Send("answer");
            bob.Prekeys.Bundle.SignedPrekey.Span.CopyTo(answer.AsSpan(2));
            alice.MustRefuse(bob, answer, DecryptResult.BadMac);
        }
    }

    [Fact]
    public void A_reflected_envelope_is_refused()
    {
        var (alice, bob) = Device.Pair();
        using (alice)
        using (bob)
        {
            var first = alice.Send("first");
            alice.MustRefuse(bob, first, DecryptResult.WrongIdentity);
            bob.MustRead(alice, first, "first");
            var answer = bob.Send("answer");
            bob.MustRefuse(alice, answer, DecryptResult.BadMac);
            alice.MustRead(bob, answer, "answer");
            alice.MustRefuse(bob, alice.Send("second"), DecryptResult.BadMac);
        }
    }

    [Fact]
    public void An_envelope_of_another_sender_is_refused()
    {
        var (alice, bob) = Device.Pair();
        using (alice)
        using (bob)
        {
            using var mallory = new Device();
            mallory.Start(bob);
            bob.MustRefuse(alice, mallory.Send("I am Alice"), DecryptResult.WrongIdentity);
        }
    }

    [Fact]
    public void A_stolen_identity_in_the_header_is_refused()
    {
        var (alice, bob) = Device.Pair();
        using (alice)
        using (bob)
        {
            using var mallory = new Device();
            mallory.Start(bob);
            var envelope = mallory.Send("I am Alice");
            alice.Public.ToBytes().CopyTo(envelope, 2);
            bob.MustRefuse(alice, envelope, DecryptResult.BadMac);
        }
    }

    [Fact]
    public void A_session_of_an_earlier_identity_reads_nothing_for_a_new_one()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            using var reenrolled = new Device();
            bob.MustRefuse(reenrolled, alice.Send("from before"), DecryptResult.WrongIdentity);
        }
    }

    [Fact]
    public void Random_bytes_are_never_read_and_never_throw()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            var prefixed =
                from kind in Gen.Byte[1, 2]
                from rest in Gen.Byte.Array[80, 1400]
                select (byte[])[1, kind, .. rest];
            var blocks =
                from kind in Gen.Byte[1, 2]
                from blocksOfText in Gen.Int[1, 4]
                from rest in Gen.Byte.Array[40 + 32 + (16 * blocksOfText)]
                from header in Gen.Byte.Array[EnvelopeFormat.PrekeyHeaderSize - 2]
                select kind == 1 ? (byte[])[1, 1, .. header, 0, 0, .. rest] : [1, 2, .. rest];
            var before = bob.State();
            Gen.OneOf(Gen.Byte.Array[0, 1400], prefixed, blocks).Sample(
                envelope =>
                {
                    EnvelopeFormat.TryReadKind(envelope, out _);
                    EnvelopeFormat.TryReadCertificate(envelope, out _);
                    EnvelopeFormat.TryReadSenderIdentity(envelope, out _);
                    return bob.Read(alice, envelope) != DecryptResult.Ok;
                },
                iter: 3000,
                threads: 1);
            Assert.Equal(before, bob.State());
        }
    }
}
