using BenchmarkDotNet.Attributes;
using KerberosMessaging.EndToEnd;

namespace KerberosMessaging.Benchmarks;

/// <summary>End-to-end encryption: starting a session, and one message of a running one from plaintext to plaintext.</summary>
[MemoryDiagnoser]
public class RatchetBenchmarks
{
    private readonly DeviceIdentity _alice = DeviceIdentity.Generate();
    private readonly DeviceIdentity _bob = DeviceIdentity.Generate();
    private readonly byte[] _plaintext = new byte[256];
    private DevicePrekeys _bobsPrekeys = null!;
    private PeerSessions _toBob = null!;
    private PeerSessions _toAlice = null!;

    [GlobalSetup]
    public void SetUp()
    {
        _bobsPrekeys = DevicePrekeys.Generate(_bob);
        _toBob = PeerSessions.Create();
        _toAlice = PeerSessions.Create();
        _toBob.StartSession(_alice, [], _bob.Public, _bobsPrekeys.Bundle);
        Expect(_toAlice.Decrypt(_bob, _bobsPrekeys, _alice.Public, _toBob.Encrypt(_plaintext), out _));
        using var alicesPrekeys = DevicePrekeys.Generate(_alice);
        Expect(_toBob.Decrypt(_alice, alicesPrekeys, _bob.Public, _toAlice.Encrypt(_plaintext), out _));
    }

    [Benchmark]
    public byte[] SessionStart()
    {
        using var sessions = PeerSessions.Create();
        sessions.StartSession(_alice, [], _bob.Public, _bobsPrekeys.Bundle);
        return sessions.Encrypt(_plaintext);
    }

    [Benchmark]
    public int EncryptAndDecrypt256()
    {
        Expect(_toAlice.Decrypt(_bob, _bobsPrekeys, _alice.Public, _toBob.Encrypt(_plaintext), out var read));
        return read.Length;
    }

    private static void Expect(DecryptResult result)
    {
        if (result != DecryptResult.Ok)
        {
            throw new InvalidOperationException($"The message could not be read: {result}.");
        }
    }
}
