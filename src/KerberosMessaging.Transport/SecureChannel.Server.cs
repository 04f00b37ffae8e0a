using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Transport;

public sealed partial class SecureChannel
{
    /// <summary>Server's side of the handshake. A peer that breaks it is told the code in a clear error frame.</summary>
    /// <param name="pipe">The connection.</param>
    /// <param name="server">This server's id.</param>
    /// <param name="signingKey">The key that clients expect of this server.</param>
    /// <param name="options">Limits and deadlines.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The channel; null when the peer left without a byte.</returns>
    /// <exception cref="ProtocolException">The peer broke the protocol.</exception>
    public static async Task<SecureChannel?> AcceptAsync(
        IDuplexPipe pipe,
        ServerId server,
        Ed25519PrivateKey signingKey,
        ChannelOptions options,
        CancellationToken cancellationToken)
    {
        var reader = new FrameReader(pipe.Input, options.FrameDeadline, options.Time);
        var requestId = 0u;
        try
        {
            using var deadline = new CancellationTokenSource(options.HandshakeDeadline, options.Time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
            try
            {
                if (!await reader.ReadAsync(options.PayloadLimit, either.Token).ConfigureAwait(false))
                {
                    reader.Dispose();
                    return null;
                }
            }
            catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                throw new ProtocolException(ProtocolError.TimedOut, "The handshake took too long.");
            }

            requestId = reader.Header.RequestId;
            if (reader.Header.Code != MessageCode.ClientHello || !reader.Header.Session.IsZero)
            {
                throw ChannelFailed();
            }

            var clientHello = reader.Frame.ToArray();
            var hello = WireReader.ReadWhole<ClientHello>(clientHello.AsSpan(FrameHeader.Size));
            return Answer(pipe, reader, clientHello, hello, server, signingKey, options);
        }
        catch (ProtocolException e)
        {
            reader.Dispose();
            pipe.Output.Write(KeySchedule.Frame(new ErrorReply(e.Error, 0), requestId));
            await pipe.Output.FlushAsync(cancellationToken).ConfigureAwait(false);
            throw;
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    private static SecureChannel Answer(
        IDuplexPipe pipe,
        FrameReader reader,
        byte[] clientHello,
        ClientHello hello,
        ServerId server,
        Ed25519PrivateKey signingKey,
        ChannelOptions options)
    {
        var ciphertext = new byte[XWing.CiphertextSize];
        Span<byte> sharedSecret = stackalloc byte[XWing.SharedSecretSize];
        if (!XWing.TryEncapsulate(hello.PublicKey, ciphertext, sharedSecret))
        {
            throw ChannelFailed();
        }

        var session = SessionId.New();
        // Cut to what the wire carries, so that both ends hold the same value.
        var now = DateTimeOffset.FromUnixTimeMilliseconds(options.Time.GetUtcNow().ToUnixTimeMilliseconds());
        var unsigned = new ServerHello(
            RandomNumberGenerator.GetBytes(32),
            ciphertext,
            session,
            server,
            now,
            signingKey.PublicKey.ToArray(),
            new byte[Ed25519.SignatureSize]);
        var frame = KeySchedule.Frame(unsigned, 0);
        var signature = frame.AsSpan(frame.Length - Ed25519.SignatureSize);
        using var transcript = new Transcript(clientHello);
        transcript.Append(frame.AsSpan(0, frame.Length - Ed25519.SignatureSize));
        signingKey.Sign(KeySchedule.SignedBytes(transcript.CurrentHash()), signature);
        transcript.Append(signature);

        var keys = KeySchedule.Derive(sharedSecret, transcript.CurrentHash());
        CryptographicOperations.ZeroMemory(sharedSecret);
        pipe.Output.Write(frame);
        return new SecureChannel(
            pipe.Output,
            reader,
            keys.ServerToClient,
            keys.ClientToServer,
            new HandshakeResult(session, server, now, unsigned.SigningKey, keys.ChannelBinding),
            options);
    }
}
