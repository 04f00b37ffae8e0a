using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd;

/// <content>
/// The stored form of an established ratchet: one that can send.
/// <code>
///  root key (32), own ratchet private key (32), sending chain key (32), peer's ratchet public key (32),
///  has receiving chain (1: 0 or 1), receiving chain key (32, if there is one),
///  sent (4), received (4), previous chain length (4),
///  finished chains: count (2), count × ratchet public key (32),
///  skipped keys: count (2), count × [ratchet public key (32), message number (4), message key (32)]
/// </code>
/// </content>
internal sealed partial class DoubleRatchet
{
    public int ExportSize =>
        (4 * RatchetKdf.KeySize) + 1 + (_receivingChain is null ? 0 : RatchetKdf.KeySize) + (3 * sizeof(uint))
        + _finished.ExportSize + _skipped.ExportSize;

    public static DoubleRatchet Read(ref StateReader reader)
    {
        var rootKey = reader.ReadBytes(RatchetKdf.KeySize);
        var sendingRatchet = reader.ReadBytes(X25519PrivateKey.Size);
        var sendingChain = reader.ReadBytes(RatchetKdf.KeySize);
        var ratchet = new DoubleRatchet(new SecretBytes(rootKey), X25519PrivateKey.FromBytes(sendingRatchet))
        {
            _sendingChain = new SecretBytes(sendingChain),
        };
        try
        {
            ratchet._receivingRatchet = reader.ReadBytes(X25519PrivateKey.Size).ToArray();
            ratchet._receivingChain = reader.ReadFlag() ? new SecretBytes(reader.ReadBytes(RatchetKdf.KeySize)) : null;
            ratchet._sent = reader.ReadUInt32();
            ratchet._received = reader.ReadUInt32();
            ratchet._previousChainLength = reader.ReadUInt32();
            ratchet._finished.Read(ref reader);
            ratchet._skipped.Read(ref reader);
            return ratchet;
        }
        catch
        {
            ratchet.Dispose();
            throw;
        }
    }

    public void Write(ref StateWriter writer)
    {
        if (_sendingChain is null || _receivingRatchet is null)
        {
            throw new InvalidOperationException("A session is kept only once it can send.");
        }

        using var sendingRatchet = _sendingRatchet.Export();
        writer.WriteBytes(_rootKey.Span);
        writer.WriteBytes(sendingRatchet.Span);
        writer.WriteBytes(_sendingChain.Span);
        writer.WriteBytes(_receivingRatchet);
        writer.WriteFlag(_receivingChain is not null);
        if (_receivingChain is not null)
        {
            writer.WriteBytes(_receivingChain.Span);
        }

        writer.WriteUInt32(_sent);
        writer.WriteUInt32(_received);
        writer.WriteUInt32(_previousChainLength);
        _finished.Write(ref writer);
        _skipped.Write(ref writer);
    }
}
