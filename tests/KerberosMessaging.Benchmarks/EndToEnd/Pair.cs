using System.Security.Cryptography;
using KerberosMessaging.EndToEnd;

namespace KerberosMessaging.Benchmarks.EndToEnd;

/// <summary>Two devices with a running session.</summary>
internal sealed class Pair : IDisposable
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;

    private readonly byte[] _message = RandomNumberGenerator.GetBytes(EnvelopeFormat.MessageIdSize);
    private readonly DeviceIdentity _alice = DeviceIdentity.Generate();
    private readonly DeviceIdentity _bob = DeviceIdentity.Generate();
    private readonly DevicePrekeys _bobsPrekeys;
    private readonly IReadOnlyList<OneTimePublicPrekey> _oneTime;
    private readonly IReadOnlyList<OneTimePublicPrekey> _oneTimeKem;
    private readonly PeerSessions _toBob = PeerSessions.Create();
    private readonly PeerSessions _toAlice = PeerSessions.Create();
    private readonly byte[] _exported;

    public Pair()
    {
        _bobsPrekeys = DevicePrekeys.Generate(_bob, Now);
        _bobsPrekeys.AddOneTime(1, 1);
        _oneTime = _bobsPrekeys.X25519Above(0);
        _oneTimeKem = _bobsPrekeys.MlKem768Above(0, _bob);
        Start(_toBob);
        Turn();
        Turn();
        using var exported = _toBob.Export();
        _exported = exported.Span.ToArray();
    }

    public int StateSize => _exported.Length;

    /// <summary>From fetched prekeys to the first envelope: signatures, four agreements, encapsulation, 256 bytes encrypted.</summary>
    public void StartSession()
    {
        using var sessions = PeerSessions.Create();
        Start(sessions);
        sessions.Encrypt(new byte[256], _message, Now);
    }

    /// <summary>The other side of that: as many first envelopes of sessions of their own, made beforehand, are read.</summary>
    public TimeSpan AcceptSessions(long count)
    {
        var made = Math.Min(count, 400);
        var taken = TimeSpan.Zero;
        for (long i = 0; i < made; i++)
        {
            using var starting = PeerSessions.Create();
            using var accepting = PeerSessions.Create();
            Start(starting, withOneTime: false);
            var envelope = starting.Encrypt(new byte[256], _message, Now);
            var started = EndToEndBenchmark.CpuTime();
            Expect(accepting.Decrypt(_bob, _bobsPrekeys, _alice.Public, envelope, _message, Now, out _));
            taken += EndToEndBenchmark.CpuTime() - started;
        }

        return taken * ((double)count / made);
    }

    /// <summary>A message of 256 bytes each way: two ratchet steps, every few turns an ML-KEM exchange.</summary>
    public void Turn()
    {
        Expect(_toAlice.Decrypt(_bob, _bobsPrekeys, _alice.Public, _toBob.Encrypt(new byte[256], _message, Now), _message, Now, out _));
        Expect(_toBob.Decrypt(_alice, null, _bob.Public, _toAlice.Encrypt(new byte[256], _message, Now), _message, Now, out _));
    }

    public void Encrypt(int size) => _toBob.Encrypt(new byte[size], _message, Now);

    public TimeSpan Decrypt(int size, long count)
    {
        // What was encrypted before and never came is passed over first: no more than that is taken from one chain.
        Turn();
        var envelopes = new byte[Math.Min(count, 200_000_000 / (size + 400))][];
        for (var i = 0; i < envelopes.Length; i++)
        {
            envelopes[i] = _toBob.Encrypt(new byte[size], _message, Now);
        }

        var started = EndToEndBenchmark.CpuTime();
        foreach (var envelope in envelopes)
        {
            Expect(_toAlice.Decrypt(_bob, null, _alice.Public, envelope, _message, Now, out _));
        }

        return (EndToEndBenchmark.CpuTime() - started) * ((double)count / envelopes.Length);
    }

    public void Export() => _toBob.Export().Dispose();

    public void Import() => PeerSessions.Import(_exported).Dispose();

    public void Dispose()
    {
        _alice.Dispose();
        _bob.Dispose();
        _bobsPrekeys.Dispose();
        _toBob.Dispose();
        _toAlice.Dispose();
    }

    private static void Expect(DecryptResult result)
    {
        if (result != DecryptResult.Ok)
        {
            throw new InvalidOperationException($"The message could not be read: {result}.");
        }
    }

    private void Start(PeerSessions sessions, bool withOneTime = true) => sessions.StartSession(
        _alice, [], _bob.Public, _bobsPrekeys.Bundle, withOneTime ? _oneTime[0] : null, withOneTime ? _oneTimeKem[0] : null, Now);
}
