using System.Buffers.Binary;

namespace KerberosMessaging.EndToEnd.Tests;

/// <summary>Double Ratchet, section 4: what a server that sees every envelope learns of a session.</summary>
public sealed class HeaderEncryptionTests
{
    private static bool Holds(ReadOnlySpan<byte> envelope, ReadOnlySpan<byte> bytes) => envelope.IndexOf(bytes) >= 0;

    [Fact]
    public void No_ratchet_key_and_no_kem_part_is_seen_in_an_envelope()
    {
        var (alice, bob) = Device.Pair();
        using (alice)
        using (bob)
        {
            var kinds = new HashSet<byte>();
            for (var turn = 0; turn < 20; turn++)
            {
                foreach (var (from, to) in new[] { (alice, bob), (bob, alice) })
                {
                    for (var i = 0; i < 2; i++)
                    {
                        var envelope = from.Send("text");
                        var state = StateView.Active(from.State());
                        Assert.False(Holds(envelope, state.Sending!.RatchetPublic));
                        Assert.False(Holds(envelope, state.PeerRatchetKey));
                        Assert.True(state.Sending.KemPart.Length == 0 || !Holds(envelope, state.Sending.KemPart.AsSpan(0, 32)));
                        kinds.Add(state.Sending.KemPartKind);
                        to.MustRead(from, envelope, "text");
                    }
                }
            }

            Assert.Equal(3, kinds.Count);
        }
    }

    [Fact]
    public void No_counter_is_seen_in_an_envelope()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            // A counter in clear would stand at one place and grow there from envelope to envelope.
            var envelopes = Enumerable.Range(0, 40).Select(_ => alice.Send("text")).ToArray();
            for (var at = 4; at < envelopes[0].Length; at++)
            {
                Assert.True(envelopes.Select(envelope => envelope[at]).Distinct().Count() > 20);
            }

            Assert.Equal(40u, StateView.Active(alice.State()).Sending!.Sent);
        }
    }

    [Fact]
    public void Nothing_tells_the_envelopes_of_one_chain_from_those_of_another()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            var blocks = new HashSet<string>();
            var count = 0;
            for (var turn = 0; turn < 30; turn++)
            {
                foreach (var (from, to) in new[] { (alice, bob), (bob, alice) })
                {
                    for (var i = 0; i < 3; i++)
                    {
                        var envelope = from.Send("the same text in every envelope");
                        to.MustRead(from, envelope, "the same text in every envelope");
                        foreach (var block in envelope[4..].Chunk(16))
                        {
                            blocks.Add(Convert.ToHexString(block));
                            count++;
                        }
                    }
                }
            }

            Assert.Equal(count, blocks.Count);
        }
    }

    [Fact]
    public void A_header_is_sealed_under_the_header_key_of_its_chain_alone()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            var envelope = alice.Send("text");
            var state = StateView.Active(alice.State());
            var sealedHeader = ReferenceEnvelope.Of(envelope).SealedHeader;
            var header = Reference.OpenHeader(state.Sending!.HeaderKey, sealedHeader);
            Assert.NotNull(header);
            Assert.Equal(state.Sending.RatchetPublic, header[..32]);
            Assert.Equal(1u, BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(32)));
            Assert.Equal(0u, BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(36)));
            Assert.Equal(Reference.NoKemPart, header[40]);
            foreach (var other in new[]
            {
                state.NextSendingHeaderKey, state.NextReceivingHeaderKey, state.Receiving!.HeaderKey, new byte[64],
            })
            {
                Assert.Null(Reference.OpenHeader(other, sealedHeader));
            }
        }
    }

    [Fact]
    public void Header_keys_of_both_directions_and_of_all_chains_differ()
    {
        var (alice, bob) = Device.Pair();
        using (alice)
        using (bob)
        {
            var keys = new List<string>();
            for (var turn = 0; turn < 10; turn++)
            {
                foreach (var (from, to) in new[] { (alice, bob), (bob, alice) })
                {
                    to.MustRead(from, from.Send("text"), "text");
                    keys.Add(Convert.ToHexString(StateView.Active(from.State()).Sending!.HeaderKey));
                    Assert.Equal(
                        StateView.Active(from.State()).Sending!.HeaderKey, StateView.Active(to.State()).Receiving!.HeaderKey);
                    Assert.Equal(
                        StateView.Active(from.State()).NextSendingHeaderKey, StateView.Active(to.State()).NextReceivingHeaderKey);
                    Assert.Equal(StateView.Active(from.State()).RootKey, StateView.Active(to.State()).RootKey);
                }
            }

            Assert.Equal(keys.Count, keys.Distinct().Count());
        }
    }

    [Fact]
    public void A_header_of_another_session_does_not_open()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            var own = alice.Send("own");
            using var carol = new Device(alice.Clock);
            carol.Start(bob);
            using var bobForCarol = PeerSessions.Create();
            var first = carol.Send("first");
            Assert.Equal(
                DecryptResult.Ok,
                bobForCarol.Decrypt(bob.Identity, bob.Prekeys, carol.Public, first, Device.MessageId, bob.Now, out _));
            carol.MustRead(bob, bobForCarol.Encrypt("answer"u8, Device.MessageId, bob.Now), "answer");
            var others = carol.Send("another's");
            bob.MustRefuse(alice, others, DecryptResult.NoSession);

            // Nor does it with this session's body behind it.
            bob.MustRefuse(alice, [.. others[..100], .. own[100..]], DecryptResult.NoSession);
            bob.MustRead(alice, own, "own");
        }
    }

    [Fact]
    public void Two_sessions_of_the_same_devices_have_nothing_in_common_on_the_wire()
    {
        using var alice = new Device();
        using var bob = new Device(alice.Clock);
        alice.Start(bob);
        var one = ReferenceEnvelope.Of(alice.Send("text"));
        alice.Start(bob);
        var two = ReferenceEnvelope.Of(alice.Send("text"));
        Assert.NotEqual(one.BaseKey, two.BaseKey);
        Assert.NotEqual(one.KemCiphertext, two.KemCiphertext);
        Assert.Equal(one.SealedHeader.Length, two.SealedHeader.Length);
        Assert.Empty(one.SealedHeader.Chunk(16).Select(Convert.ToHexString).Intersect(two.SealedHeader.Chunk(16).Select(Convert.ToHexString)));
    }
}
