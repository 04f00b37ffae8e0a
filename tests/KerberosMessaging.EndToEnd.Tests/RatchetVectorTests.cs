using System.Security.Cryptography;
using System.Text;

namespace KerberosMessaging.EndToEnd.Tests;

/// <summary>
/// A recorded conversation between two devices that both were the library. It must go on reading it, and so must
/// <see cref="Observer"/>, which also checks every value on the way.
/// </summary>
public sealed class RatchetVectorTests
{
    // The messages in the order in which they are read: the third comes after the fourth.
    private static readonly int[] Order = [1, 2, 4, 3, 5, 6, 7];

    private static readonly VectorFile Vector = VectorFile.Read("ratchet.txt", Record);

    public static readonly TheoryData<int> Messages = [.. Order];

    [Fact]
    public void The_description_alone_reads_the_recorded_conversation()
    {
        var observer = Observer.FromTheStart(
            Vector["associated_data"],
            Vector["shared_key"],
            Vector["initiator_header_key"],
            Vector["responder_header_key"],
            Reference.X25519Public(Vector["signed_prekey_private"]));
        observer.LearnX25519(Vector["signed_prekey_private"]);
        foreach (var number in Order)
        {
            var name = $"m{number}";
            observer.LearnX25519(Vector[$"{name}_ratchet_private"]);
            if (Vector.Has($"{name}_offered_seed"))
            {
                observer.LearnKem(Vector[$"{name}_offered_seed"]);
            }

            var envelope = Vector[$"{name}_envelope"];
            var plaintext = observer.Open(Vector[$"{name}_direction"][0], envelope, Vector[$"{name}_message_id"]);
            Assert.Equal(Vector[$"{name}_plaintext"], plaintext);
            Vector.Matches($"{name}_header", observer.Header);
            Vector.Matches($"{name}_message_key", observer.MessageKey);
            Assert.Equal(observer.BeganChain, Vector.Has($"{name}_root_key"));
            if (observer.BeganChain)
            {
                Assert.Equal(observer.KemSecret.Length > 0, Vector.Has($"{name}_kem_shared_secret"));
                if (observer.KemSecret.Length > 0)
                {
                    Vector.Matches($"{name}_kem_shared_secret", observer.KemSecret);
                }

                Vector.Matches($"{name}_root_key", observer.RootKey);
                Vector.Matches($"{name}_chain_key", observer.ChainKey);
                Vector.Matches($"{name}_next_header_key", observer.NextHeaderKey);
            }

            var parts = ReferenceEnvelope.Of(envelope);
            Vector.Matches(
                $"{name}_envelope",
                Reference.Seal(
                    observer.MessageKey,
                    Vector["associated_data"],
                    Vector[$"{name}_message_id"],
                    parts.Prefix,
                    parts.SealedHeader,
                    plaintext!));
        }
    }

    [Theory]
    [MemberData(nameof(Messages))]
    public void The_library_reads_the_recorded_conversation(int number)
    {
        var toBob = Vector[$"m{number}_direction"][0] == 0;
        using var alice = DeviceIdentity.Import(Vector["alice_identity_state"]);
        using var bob = DeviceIdentity.Import(Vector["bob_identity_state"]);
        using var prekeys = DevicePrekeys.Import(Vector["bob_prekeys_state"]);
        using var sessions = PeerSessions.Import(Vector[$"m{number}_reader_state"]);
        var result = sessions.Decrypt(
            toBob ? bob : alice,
            toBob ? prekeys : null,
            toBob ? alice.Public : bob.Public,
            Vector[$"m{number}_envelope"],
            Vector[$"m{number}_message_id"],
            Device.Epoch,
            out var plaintext);
        Assert.Equal(DecryptResult.Ok, result);
        Assert.Equal(Vector[$"m{number}_plaintext"], plaintext);
    }

    [Fact]
    public void The_recorded_conversation_shows_every_kind_of_header()
    {
        var kinds = Order.ToDictionary(number => number, number => Vector[$"m{number}_header"][40]);
        Assert.Equal(Reference.Offer, kinds[5]);
        Assert.Equal(Reference.Ciphertext, kinds[6]);
        Assert.All(new[] { 1, 2, 3, 4, 7 }, number => Assert.Equal(Reference.NoKemPart, kinds[number]));
        Assert.All(Order, number => Assert.Equal(number == 6, Vector.Has($"m{number}_kem_shared_secret")));
        Assert.Equal(1, Vector["m7_header"][35]);
    }

    [Fact]
    public void An_authentic_message_with_bad_padding_is_malformed_and_changes_nothing()
    {
        var (alice, bob) = Device.EstablishedPair();
        using (alice)
        using (bob)
        {
            bob.MustRead(alice, alice.Send("first"), "first");
            var state = StateView.Active(alice.State());
            var good = alice.Send("good");
            var (messageKey, _) = Reference.StepChain(state.Sending!.ChainKey);
            Assert.Equal("good"u8.ToArray(), Reference.Open(messageKey, state.AssociatedData, Device.MessageId, good));
            bob.MustRefuse(alice, Forgery.InThisChain(state, unpadded: new byte[16]), DecryptResult.Malformed);
            bob.MustRead(alice, good, "good");
        }
    }

    private static void Record(VectorFile file)
    {
        var (alice, bob) = Device.Pair();
        using (alice)
        using (bob)
        {
            var prekeys = bob.PrekeyState();
            var recorded = Order.Order().ToDictionary(number => number, _ => new Message());
            Send(alice, recorded[1], "m1: starts the session");
            Deliver(alice, bob, recorded[1]);
            Send(bob, recorded[2], "m2: answers");
            Deliver(bob, alice, recorded[2]);
            Send(alice, recorded[3], "m3: comes late");
            Send(alice, recorded[4], "m4: overtakes");
            Deliver(alice, bob, recorded[4]);
            Deliver(alice, bob, recorded[3]);
            alice.Clock.Advance(TimeSpan.FromDays(4));
            Send(bob, recorded[5], "m5: offers an ML-KEM key");
            Deliver(bob, alice, recorded[5]);
            Send(alice, recorded[6], "m6: answers with the ciphertext");
            Deliver(alice, bob, recorded[6]);
            Send(bob, recorded[7], "m7: goes on");
            Deliver(bob, alice, recorded[7]);

            var first = ReferenceEnvelope.Of(recorded[1].Envelope);
            using var bobSecrets = bob.Identity.Export();
            using var aliceSecrets = alice.Identity.Export();
            var signedPrekey = prekeys[13..45];
            var kemSeed = prekeys[49..113];
            var keys = Reference.SessionKeys(
                Reference.Agree(signedPrekey, first.SenderIdentity[32..]),
                Reference.Agree(bobSecrets.Span[33..].ToArray(), first.BaseKey),
                Reference.Agree(signedPrekey, first.BaseKey),
                [],
                Reference.Decapsulate(kemSeed, first.KemCiphertext));
            file.Comment(
                "A conversation of seven messages in one session, listed in the order in which they are read. Direction 00 is from Alice, who\n" +
                "started the session, to Bob. Every key was made for this file and is used nowhere else.");
            file.Comment("What PQXDH gave (session-start.txt shows how), and Bob's signed prekey, which is his first ratchet key.");
            file.Add("associated_data", Reference.AssociatedData(
                alice.Public.ToBytes(), bob.Public.ToBytes(), Reference.MlKemPublic(kemSeed), first.KemCiphertext));
            file.Add("shared_key", keys.SharedKey);
            file.Add("initiator_header_key", keys.InitiatorHeaderKey);
            file.Add("responder_header_key", keys.ResponderHeaderKey);
            file.Add("signed_prekey_private", signedPrekey);
            file.Comment(
                "The stored forms that this project's library reads the messages with, here and below as reader_state. They are no part of\n" +
                "the protocol.");
            file.Add("alice_identity_state", aliceSecrets.Span.ToArray());
            file.Add("bob_identity_state", bobSecrets.Span.ToArray());
            file.Add("bob_prekeys_state", prekeys);

            var observer = Observer.FromTheStart(
                file["associated_data"], keys.SharedKey, keys.InitiatorHeaderKey, keys.ResponderHeaderKey, Reference.X25519Public(signedPrekey));
            observer.LearnX25519(signedPrekey);
            foreach (var number in Order)
            {
                Add(file, $"m{number}", (byte)(number is 2 or 5 or 7 ? 1 : 0), recorded[number], observer);
            }
        }
    }

    private static void Send(Device from, Message message, string text)
    {
        message.Text = text;
        message.Id = RandomNumberGenerator.GetBytes(16);
        message.Envelope = from.Send(text, message.Id);
        message.Sending = StateView.Active(from.State());
    }

    private static void Deliver(Device from, Device to, Message message)
    {
        message.ReaderState = to.State();
        to.MustRead(from, message.Envelope, message.Id, message.Text);
    }

    private static void Add(VectorFile file, string name, byte direction, Message message, Observer observer)
    {
        var sending = message.Sending!.Sending!;
        observer.LearnFrom(message.Sending, withKem: true);
        Assert.Equal(message.Text, Encoding.UTF8.GetString(observer.Open(direction, message.Envelope, message.Id)!));
        file.Comment(message.Text + (observer.BeganChain ? ". It begins a chain: the sender's ratchet key is new, and the root takes a step." : "."));
        file.Add($"{name}_direction", [direction]);
        file.Add($"{name}_ratchet_private", sending.RatchetPrivate);
        if (sending.OfferSeed is not null)
        {
            file.Add($"{name}_offered_seed", sending.OfferSeed);
        }

        if (observer.BeganChain)
        {
            if (observer.KemSecret.Length > 0)
            {
                file.Add($"{name}_kem_shared_secret", observer.KemSecret);
            }

            file.Add($"{name}_root_key", observer.RootKey);
            file.Add($"{name}_chain_key", observer.ChainKey);
            file.Add($"{name}_next_header_key", observer.NextHeaderKey);
        }

        file.Add($"{name}_message_key", observer.MessageKey);
        file.Add($"{name}_header", observer.Header);
        file.Add($"{name}_message_id", message.Id);
        file.Add($"{name}_plaintext", Encoding.UTF8.GetBytes(message.Text));
        file.Add($"{name}_envelope", message.Envelope);
        file.Add($"{name}_reader_state", message.ReaderState);
    }

    private sealed class Message
    {
        public string Text { get; set; } = "";

        public byte[] Id { get; set; } = [];

        public byte[] Envelope { get; set; } = [];

        public SessionView? Sending { get; set; }

        public byte[] ReaderState { get; set; } = [];
    }
}
