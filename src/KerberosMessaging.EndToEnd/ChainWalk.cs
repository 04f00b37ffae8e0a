using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>
/// Some steps down a receiving chain: the message keys passed on the way and the chain key after them. It leaves the
/// chain it started from alone, so that nothing is lost if the message that asked for the walk is a forgery.
/// </summary>
internal sealed class ChainWalk : IDisposable
{
    private readonly List<SecretBytes> _messageKeys;
    private SecretBytes _chainKey;

    private ChainWalk(int steps, SecretBytes chainKey)
    {
        _messageKeys = new List<SecretBytes>(steps);
        _chainKey = chainKey;
    }

    /// <summary>The key of the last step.</summary>
    public SecretBytes LastMessageKey => _messageKeys[^1];

    public static ChainWalk Take(int steps, SecretBytes chainKey)
    {
        var walk = new ChainWalk(steps, chainKey.Clone());
        for (var step = 0; step < steps; step++)
        {
            var messageKey = new SecretBytes(RatchetKdf.KeySize);
            var next = new SecretBytes(RatchetKdf.KeySize);
            RatchetKdf.StepChain(walk._chainKey.Span, messageKey.Span, next.Span);
            walk._messageKeys.Add(messageKey);
            walk._chainKey.Dispose();
            walk._chainKey = next;
        }

        return walk;
    }

    /// <summary>Hands over the first keys; the caller disposes them.</summary>
    public List<SecretBytes> RemoveMessageKeys(int count)
    {
        var keys = _messageKeys.GetRange(0, count);
        _messageKeys.RemoveRange(0, count);
        return keys;
    }

    /// <summary>A copy of the chain key behind the last step; the caller disposes it.</summary>
    public SecretBytes CopyChainKey() => _chainKey.Clone();

    public void Dispose()
    {
        foreach (var key in _messageKeys)
        {
            key.Dispose();
        }

        _chainKey.Dispose();
    }

    public override string ToString() => "[redacted]";
}
