using System.Text;

namespace KerberosMessaging.EndToEnd.Tests;

/// <summary>One device with its record of the one peer it talks to.</summary>
internal sealed class Device : IDisposable
{
    public DeviceIdentity Identity { get; } = DeviceIdentity.Generate();

    public DevicePrekeys Prekeys { get; private set; }

    public PeerSessions Sessions { get; private set; } = PeerSessions.Create();

    public byte[] Certificate { get; init; } = "certificate"u8.ToArray();

    public Device() => Prekeys = DevicePrekeys.Generate(Identity);

    public PublicDeviceIdentity Public => Identity.Public;

    /// <summary>Two devices, the first with a session of which the second knows nothing yet.</summary>
    public static (Device Alice, Device Bob) Pair()
    {
        var alice = new Device();
        var bob = new Device();
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

    public void Start(Device peer) => Sessions.StartSession(Identity, Certificate, peer.Public, peer.Prekeys.Bundle);

    public byte[] Send(string text) => Sessions.Encrypt(Encoding.UTF8.GetBytes(text));

    public DecryptResult Read(Device from, ReadOnlySpan<byte> envelope, out string text)
    {
        var result = Sessions.Decrypt(Identity, Prekeys, from.Public, envelope, out var plaintext);
        text = Encoding.UTF8.GetString(plaintext);
        return result;
    }

    public DecryptResult Read(Device from, ReadOnlySpan<byte> envelope) => Read(from, envelope, out _);

    public void MustRead(Device from, ReadOnlySpan<byte> envelope, string expected)
    {
        Assert.Equal(DecryptResult.Ok, Read(from, envelope, out var text));
        Assert.Equal(expected, text);
    }

    /// <summary>Asserts that an envelope is refused with the given result and that not a byte of the state changes.</summary>
    public void MustRefuse(Device from, ReadOnlySpan<byte> envelope, params DecryptResult[] expected)
    {
        var before = State();
        var result = Sessions.Decrypt(Identity, Prekeys, from.Public, envelope, out var plaintext);
        Assert.Contains(result, expected);
        Assert.Empty(plaintext);
        Assert.Equal(before, State());
    }

    public byte[] State()
    {
        using var exported = Sessions.Export();
        return exported.Span.ToArray();
    }

    public void Restore(byte[] state)
    {
        Sessions.Dispose();
        Sessions = PeerSessions.Import(state);
    }

    /// <summary>Stores everything and loads it again; what is stored must come back byte by byte.</summary>
    public void Restart()
    {
        var state = State();
        Restore(state);
        Assert.Equal(state, State());

        using var prekeys = Prekeys.Export();
        Prekeys.Dispose();
        Prekeys = DevicePrekeys.Import(prekeys.Span);
        using var again = Prekeys.Export();
        Assert.Equal(prekeys.Span.ToArray(), again.Span.ToArray());
    }

    public void Dispose()
    {
        Identity.Dispose();
        Prekeys.Dispose();
        Sessions.Dispose();
    }
}
