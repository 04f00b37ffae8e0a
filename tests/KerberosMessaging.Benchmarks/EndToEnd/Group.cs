using System.Security.Cryptography;
using KerberosMessaging.EndToEnd;

namespace KerberosMessaging.Benchmarks.EndToEnd;

/// <summary>A device with running sessions with several others, to which it sends the same.</summary>
internal sealed class Group : IDisposable
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;

    private readonly byte[] _message = RandomNumberGenerator.GetBytes(EnvelopeFormat.MessageIdSize);
    private readonly byte[] _plaintext = new byte[256];
    private readonly List<PeerSessions> _sessions = [];

    public Group(int devices)
    {
        using var alice = DeviceIdentity.Generate();
        for (var i = 0; i < devices; i++)
        {
            using var bob = DeviceIdentity.Generate();
            using var prekeys = DevicePrekeys.Generate(bob, Now);
            using var toAlice = PeerSessions.Create();
            var toBob = PeerSessions.Create();
            toBob.StartSession(alice, [], bob.Public, prekeys.Bundle, null, null, Now);
            toAlice.Decrypt(bob, prekeys, alice.Public, toBob.Encrypt(_plaintext, _message, Now), _message, Now, out _);
            if (toBob.Decrypt(alice, null, bob.Public, toAlice.Encrypt(_plaintext, _message, Now), _message, Now, out _) != DecryptResult.Ok)
            {
                throw new InvalidOperationException("A session was not established.");
            }

            _sessions.Add(toBob);
        }
    }

    public void Encrypt256()
    {
        foreach (var session in _sessions)
        {
            session.Encrypt(_plaintext, _message, Now);
        }
    }

    public void Dispose() => _sessions.ForEach(static session => session.Dispose());
}
