using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <summary>
/// Some steps down a receiving chain: the message keys passed on the way and the chain key after them. It leaves the
/// chain it started from alone, so that nothing is lost if the message that asked for the walk is a forgery.
/// </summary>
internal sealed class ChainWalk : IDisposable
{
    // The message keys one after the other, then the chain key behind them.
    private readonly SecretBytes _keys;

    public ChainWalk(ReadOnlySpan<byte> chainKey, int steps)
    {
        _keys = new SecretBytes((steps + 1) * RatchetKdf.KeySize);
        Span<byte> current = _keys.Span[^RatchetKdf.KeySize..];
        chainKey.CopyTo(current);
        for (var step = 0; step < steps; step++)
        {
            RatchetKdf.DeriveMessageKey(current, _keys.Span.Slice(step * RatchetKdf.KeySize, RatchetKdf.KeySize));
            RatchetKdf.Advance(current);
        }

        Steps = steps;
    }

    public int Steps { get; }

    public ReadOnlySpan<byte> ChainKey => _keys.Span[^RatchetKdf.KeySize..];

    public ReadOnlySpan<byte> MessageKey(int step) => _keys.Span.Slice(step * RatchetKdf.KeySize, RatchetKdf.KeySize);

    public void Dispose() => _keys.Dispose();

    public override string ToString() => "[redacted]";
}
