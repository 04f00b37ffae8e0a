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

    private static void RefusesEveryFlip(Device bob, Device alice, byte[] envelope, string text, int headerSize)
    {
        Assert.Equal(headerSize, ReferenceEnvelope.Of(envelope).SealedHeader.Length);
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
            RefusesEveryFlip(bob, alice, alice.Send("in a new chain, two blocks"), "in a new chain, two blocks", 96);
            RefusesEveryFlip(bob, alice, alice.Send("in the current chain"), "in the current chain", 96);
            var skipped = alice.Send("skipped");
            bob.MustRead(alice, alice.Send("over it"), "over it");
            RefusesEveryFlip(bob, alice, skipped, "skipped", 96);
        }
    }

    [Fact]
    public void A_ratchet_envelope_with_a_kem_part_and_any_byte_changed_is_refused_and_changes_nothing()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            alice.Clock.Advance(TimeSpan.FromDays(8));
            RefusesEveryFlip(bob, alice, alice.Send("begins with an offer"), "begins with an offer", 1280);
            RefusesEveryFlip(bob, alice, alice.Send("repeats the offer"), "repeats the offer", 1280);
            RefusesEveryFlip(alice, bob, bob.Send("begins with a ciphertext"), "begins with a ciphertext", 1184);
            RefusesEveryFlip(alice, bob, bob.Send("repeats the ciphertext"), "repeats the ciphertext", 1184);
        }
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    public void A_prekey_envelope_with_any_byte_changed_is_refused_and_changes_nothing(int x25519, int mlKem768)
    {
        var (alice, bob) = Device.Pair();
        using (alice)
        using (bob)
        {
            bob.Prekeys.AddOneTime(x25519, mlKem768);
            if (x25519 > 0)
            {
                alice.StartWithOneTime(bob);
            }

            RefusesEveryFlip(bob, alice, alice.Send("starts the session"), "starts the session", 96);
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
            RefusesEveryFlip(bob, alice, alice.Send("not answered yet"), "not answered yet", 96);
        }
    }

    [Fact]
    public void An_envelope_opens_under_its_own_message_id_only()
    {
        var (alice, bob) = Device.Pair();
        using (alice)
        using (bob)
        {
            byte[] own = [.. Enumerable.Repeat((byte)7, 16)];
            MustNeedItsId(bob, alice, alice.Send("starts the session", own), own, "starts the session");
            MustNeedItsId(alice, bob, bob.Send("new chain", own), own, "new chain");
            MustNeedItsId(alice, bob, bob.Send("current chain", own), own, "current chain");
            var skipped = bob.Send("skipped", own);
            alice.MustRead(bob, bob.Send("over it"), "over it");
            MustNeedItsId(alice, bob, skipped, own, "skipped");
            Assert.Throws<ArgumentException>(() => alice.Send("no id", []));
            Assert.Throws<ArgumentException>(() => alice.Read(bob, skipped, new byte[17], out _));
        }
    }

    private static void MustNeedItsId(Device reader, Device sender, byte[] envelope, byte[] id, string text)
    {
        for (var i = 0; i < id.Length; i++)
        {
            var other = id.ToArray();
            other[i] ^= 1;
            reader.MustRefuse(sender.Public, envelope, other, DecryptResult.BadMac);
        }

        reader.MustRead(sender, envelope, id, text);
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
    [InlineData(1)]
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
    public void The_message_number_that_no_counter_can_pass_is_refused()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            bob.MustRead(alice, alice.Send("first"), "first");
            var state = StateView.Active(alice.State());
            bob.MustRefuse(alice, Forgery.InThisChain(state, number: uint.MaxValue), DecryptResult.NoSession);
            bob.MustRefuse(alice, Forgery.InThisChain(state, number: uint.MaxValue - 1), DecryptResult.TooManySkipped);
        }
    }

    [Theory]
    [MemberData(nameof(Forgery.LowOrderKeys), MemberType = typeof(Forgery))]
    public void A_ratchet_key_of_low_order_in_an_authentic_header_is_refused(string key)
    {
        var lowOrder = Convert.FromHexString(key);
        var (alice, bob) = Device.Pair();
        using (alice)
        using (bob)
        {
            bob.MustRefuse(alice, Forgery.InThisChain(StateView.Active(alice.State()), lowOrder), DecryptResult.BadMac);
            bob.MustRead(alice, alice.Send("first"), "first");
            alice.MustRefuse(bob, Forgery.InNextChain(StateView.Active(bob.State()), lowOrder), DecryptResult.BadMac);
            alice.MustRead(bob, bob.Send("answer"), "answer");
            bob.MustRefuse(alice, Forgery.InNextChain(StateView.Active(alice.State()), lowOrder), DecryptResult.BadMac);
            bob.MustRead(alice, alice.Send("second"), "second");
        }
    }

    [Theory]
    [MemberData(nameof(Forgery.LowOrderKeys), MemberType = typeof(Forgery))]
    public void A_base_key_of_low_order_is_refused(string key)
    {
        var (alice, bob) = Device.Pair();
        using (alice)
        using (bob)
        {
            bob.Prekeys.AddOneTime(1, 1);
            var envelope = alice.Send("low order");
            Convert.FromHexString(key).CopyTo(envelope, 79);
            bob.MustRefuse(alice, envelope, DecryptResult.BadMac);
            alice.StartWithOneTime(bob);
            envelope = alice.Send("low order");
            Convert.FromHexString(key).CopyTo(envelope, 79);
            bob.MustRefuse(alice, envelope, DecryptResult.BadMac);
        }
    }

    [Theory]
    [MemberData(nameof(Forgery.LowOrderKeys), MemberType = typeof(Forgery))]
    public void A_sender_identity_of_low_order_is_refused(string key)
    {
        var (alice, bob) = Device.Pair();
        using (alice)
        using (bob)
        {
            var envelope = alice.Send("low order");
            Convert.FromHexString(key).CopyTo(envelope, 34);
            var claimed = new PublicDeviceIdentity(alice.Public.SigningKey.Span, Convert.FromHexString(key));
            bob.MustRefuse(claimed, envelope, Device.MessageId, DecryptResult.BadMac);
        }
    }

    [Fact]
    public void An_unusable_kem_key_offered_in_an_authentic_header_is_refused()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            var state = StateView.Active(alice.State());
            var bad = Forgery.InNextChain(state, kemPartKind: Reference.Offer, kemPart: Forgery.UnusableKemKey());
            bob.MustRefuse(alice, bad, DecryptResult.Malformed);

            // It was the key alone: with a good one the same forgery is read.
            using var good = Cryptography.MlKem768PrivateKey.Generate();
            var offer = Forgery.InNextChain(state, kemPartKind: Reference.Offer, kemPart: good.PublicKey.ToArray());
            bob.MustRead(alice, offer, "forged");
        }
    }

    [Fact]
    public void A_kem_ciphertext_that_nothing_was_offered_for_is_refused()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            var state = StateView.Active(alice.State());
            var unasked = Forgery.InNextChain(state, kemPartKind: Reference.Ciphertext, kemPart: new byte[1088], kemSecret: new byte[32]);
            bob.MustRefuse(alice, unasked, DecryptResult.Malformed);
            bob.MustRead(alice, alice.Send("text"), "text");
        }
    }

    [Fact]
    public void An_offer_that_the_next_chain_does_not_answer_is_refused()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            alice.Clock.Advance(TimeSpan.FromDays(8));
            var offer = alice.Send("offer");
            Assert.Equal(Reference.Offer, StateView.Active(alice.State()).Sending!.KemPartKind);
            bob.MustRead(alice, offer, "offer");
            var state = StateView.Active(bob.State());
            alice.MustRefuse(bob, Forgery.InNextChain(state), DecryptResult.Malformed);
            using var own = Cryptography.MlKem768PrivateKey.Generate();
            var counter = Forgery.InNextChain(state, kemPartKind: Reference.Offer, kemPart: own.PublicKey.ToArray());
            alice.MustRefuse(bob, counter, DecryptResult.Malformed);

            // A ciphertext of another key decapsulates to a secret that nobody knows (FIPS 203, section 6.3).
            var noise = Forgery.InNextChain(state, kemPartKind: Reference.Ciphertext, kemPart: new byte[1088], kemSecret: new byte[32]);
            alice.MustRefuse(bob, noise, DecryptResult.BadMac);
            alice.MustRead(bob, bob.Send("answer"), "answer");
        }
    }

    [Fact]
    public void A_chain_that_follows_none_of_ours_is_refused()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            bob.MustRead(alice, alice.Send("new chain"), "new chain");

            // Alice may not step again before Bob has: she would seal under the next header key that only she has used.
            var state = StateView.Active(alice.State());
            bob.MustRefuse(alice, Forgery.InNextChain(state), DecryptResult.Malformed);
            alice.MustRead(bob, bob.Send("answer"), "answer");
        }
    }

    [Fact]
    public void A_header_exchanged_by_one_who_has_the_header_key_is_refused()
    {
        var (alice, bob) = Device.Pair();
        using (alice)
        using (bob)
        {
            bob.MustRead(alice, alice.Send("first"), "first");
            var answer = bob.Send("answer");
            var state = StateView.Active(bob.State());
            var parts = ReferenceEnvelope.Of(answer);
            foreach (var key in new[] { bob.Prekeys.Bundle.SignedPrekey.ToArray(), bob.Public.AgreementKey.ToArray() })
            {
                var header = Reference.SealHeader(state.Sending!.HeaderKey, Reference.Header(key, 0, 0, 0, []));
                alice.MustRefuse(bob, [.. parts.Prefix, 0, 96, .. header, .. answer[parts.CiphertextAt..]], DecryptResult.BadMac);
            }

            alice.MustRead(bob, answer, "answer");
        }
    }

    [Fact]
    public void A_header_of_another_message_is_refused()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            var one = alice.Send("one");
            var two = alice.Send("two");
            var three = alice.Send("three");
            bob.MustRead(alice, three, "three");
            bob.MustRefuse(alice, [.. one[..100], .. two[100..]], DecryptResult.BadMac);
            bob.MustRefuse(alice, [.. two[..100], .. one[100..]], DecryptResult.BadMac);
            bob.MustRead(alice, two, "two");
            bob.MustRead(alice, one, "one");
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
            bob.MustRefuse(alice, answer, DecryptResult.NoSession);
            alice.MustRead(bob, answer, "answer");
            alice.MustRefuse(bob, alice.Send("second"), DecryptResult.NoSession);
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
                select (byte[])[2, kind, .. rest];
            var blocks =
                from kind in Gen.Byte[1, 2]
                from blocksOfText in Gen.Int[1, 4]
                from headerSize in Gen.OneOf(Gen.Const(96), Gen.Const(1184), Gen.Const(1280))
                from rest in Gen.Byte.Array[headerSize + 32 + (16 * blocksOfText)]
                from header in Gen.Byte.Array[EnvelopeFormat.PrekeyHeaderSize - 2]
                let size = new[] { (byte)(headerSize >> 8), (byte)headerSize }
                select kind == 1 ? (byte[])[2, 1, .. header, 0, 0, .. size, .. rest] : [2, 2, .. size, .. rest];
            var before = bob.State();
            Gen.OneOf(Gen.Byte.Array[0, 1400], prefixed, blocks).Sample(
                envelope =>
                {
                    EnvelopeFormat.TryReadKind(envelope, out _);
                    EnvelopeFormat.TryReadCredentials(envelope, out _);
                    EnvelopeFormat.TryReadSenderIdentity(envelope, out _);
                    return bob.Read(alice, envelope) != DecryptResult.Ok;
                },
                iter: 3000,
                threads: 1);
            Assert.Equal(before, bob.State());
        }
    }
}
