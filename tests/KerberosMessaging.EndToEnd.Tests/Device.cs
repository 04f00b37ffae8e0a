using System.Text;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.EndToEnd.Tests;

/// <summary>One device with its record of the one peer it talks to.</summary>
internal sealed class Device : IDisposable
{
    /// <summary>The message id where a test is about something else.</summary>
    public static readonly byte[] MessageId = [.. Enumerable.Range(1, 16).Select(i => (byte)i)];

    public static readonly DateTimeOffset Epoch = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    public Device()
        : this(new FakeTimeProvider(Epoch))
    {
    }

    public Device(FakeTimeProvider clock)
    {
        Clock = clock;
        Prekeys = DevicePrekeys.Generate(Identity, Now);
    }

    public FakeTimeProvider Clock { get; }

    public DateTimeOffset Now => Clock.GetUtcNow();

    public DeviceIdentity Identity { get; } = DeviceIdentity.Generate();

    public DevicePrekeys Prekeys { get; private set; }

    public PeerSessions Sessions { get; private set; } = PeerSessions.Create();

    public byte[] Credentials { get; init; } = "credentials"u8.ToArray();

    public PublicDeviceIdentity Public => Identity.Public;

    /// <summary>Two devices with one clock, the first with a session of which the second knows nothing yet.</summary>
    public static (Device Alice, Device Bob) Pair()
    {
        var alice = new Device();
        var bob = new Device(alice.Clock);
        alice.Start(bob);
        return (alice, bob);
    }

    /// <summary>Two devices that have both read a message, so that they send ratchet envelopes.</summary>
    public static (Device Alice, Device Bob) EstablishedPair()
    {
        var (alice, bob) = Pair();
        bob.MustRead(alice, alice.Send("hello"), "hello");
        alice.MustRead(bob, bob.Send("welcome"), "welcome");
        return (alice, bob);
    }

    public void Start(Device peer, OneTimePublicPrekey? oneTime = null, OneTimePublicPrekey? oneTimeKem = null) =>
        Sessions.StartSession(Identity, Credentials, peer.Public, peer.Prekeys.Bundle, oneTime, oneTimeKem, Now);

    /// <summary>Starts a session with the newest one-time prekeys of the peer.</summary>
    public void StartWithOneTime(Device peer) =>
        Start(peer, peer.Prekeys.X25519Above(0)[^1], peer.Prekeys.MlKem768Above(0, peer.Identity)[^1]);

    public byte[] Send(string text) => Send(text, MessageId);

    public byte[] Send(string text, byte[] messageId) => Sessions.Encrypt(Encoding.UTF8.GetBytes(text), messageId, Now);

    public DecryptResult Read(Device from, ReadOnlySpan<byte> envelope, byte[] messageId, out string text)
    {
        var result = Sessions.Decrypt(Identity, Prekeys, from.Public, envelope, messageId, Now, out var plaintext);
        text = Encoding.UTF8.GetString(plaintext);
        return result;
    }

    public DecryptResult Read(Device from, ReadOnlySpan<byte> envelope) => Read(from, envelope, MessageId, out _);

    public void MustRead(Device from, ReadOnlySpan<byte> envelope, string expected) => MustRead(from, envelope, MessageId, expected);

    public void MustRead(Device from, ReadOnlySpan<byte> envelope, byte[] messageId, string expected)
    {
        Assert.Equal(DecryptResult.Ok, Read(from, envelope, messageId, out var text));
        Assert.Equal(expected, text);
    }

    /// <summary>Asserts that an envelope is refused with one of the given results and that not a byte of the state changes.</summary>
    public void MustRefuse(Device from, ReadOnlySpan<byte> envelope, params DecryptResult[] expected) =>
        MustRefuse(from.Public, envelope, MessageId, expected);

    public void MustRefuse(PublicDeviceIdentity from, ReadOnlySpan<byte> envelope, byte[] messageId, params DecryptResult[] expected)
    {
        var before = State();
        var prekeysBefore = PrekeyState();
        var result = Sessions.Decrypt(Identity, Prekeys, from, envelope, messageId, Now, out var plaintext);
        Assert.Contains(result, expected);
        Assert.Empty(plaintext);
        Assert.Equal(before, State());
        Assert.Equal(prekeysBefore, PrekeyState());
    }

    public byte[] State()
    {
        using var exported = Sessions.Export();
        return exported.Span.ToArray();
    }

    public byte[] PrekeyState()
    {
        using var exported = Prekeys.Export();
        return exported.Span.ToArray();
    }

    public void Restore(byte[] state)
    {
        Sessions.Dispose();
        Sessions = PeerSessions.Import(state);
    }

    public void RestorePrekeys(byte[] state)
    {
        Prekeys.Dispose();
        Prekeys = DevicePrekeys.Import(state);
    }

    /// <summary>Stores everything and loads it again; what is stored must come back byte by byte.</summary>
    public void Restart()
    {
        var state = State();
        Restore(state);
        Assert.Equal(state, State());

        var prekeys = PrekeyState();
        RestorePrekeys(prekeys);
        Assert.Equal(prekeys, PrekeyState());
    }

    public void Dispose()
    {
        Identity.Dispose();
        Prekeys.Dispose();
        Sessions.Dispose();
    }
}
