using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Transport;

/// <summary>Decides whether a server's Ed25519 public key (32 bytes) is the expected one.</summary>
/// <param name="signingKey">The key that the server stated; its signature is already verified.</param>
public delegate bool SigningKeyCheck(ReadOnlySpan<byte> signingKey);

public sealed partial class SecureChannel
{
    /// <summary>Client's side of the handshake. Nothing but the hello leaves the client before the server's key is accepted.</summary>
    /// <param name="pipe">The connection.</param>
    /// <param name="isExpectedKey">Whether the server's key is the pinned or listed one.</param>
    /// <param name="options">Limits and deadlines.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ChannelException">The handshake failed, the server is not the expected one, or it went away.</exception>
    public static async Task<SecureChannel> ConnectAsync(
        IDuplexPipe pipe,
        SigningKeyCheck isExpectedKey,
        ChannelOptions options,
        CancellationToken cancellationToken)
    {
        using var ephemeral = XWingPrivateKey.Generate();
        var clientHello = KeySchedule.Frame(
            new ClientHello(RandomNumberGenerator.GetBytes(32), ephemeral.PublicKey.ToArray()), 0);
        var reader = new FrameReader(pipe.Input, options.FrameDeadline, options.Time);
        try
        {
            using var deadline = new CancellationTokenSource(options.HandshakeDeadline, options.Time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
            try
            {
                pipe.Output.Write(clientHello);
                await pipe.Output.FlushAsync(either.Token).ConfigureAwait(false);
                if (!await reader.ReadAsync(options.PayloadLimit, either.Token).ConfigureAwait(false))
                {
                    throw new ChannelException(ChannelFailure.ConnectionLost, "The server closed the connection.");
                }
            }
            catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                throw new ChannelException(ChannelFailure.ConnectionLost, "The server did not answer in time.");
            }

            return Finish(pipe, reader, ephemeral, clientHello, isExpectedKey, options);
        }
        catch (ProtocolException e)
        {
            reader.Dispose();
            throw new ChannelException(ChannelFailure.HandshakeFailed, "The server's hello did not verify.", e);
        }
        catch (IOException e)
        {
            reader.Dispose();
            throw new ChannelException(ChannelFailure.ConnectionLost, "The connection was lost.", e);
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    private static SecureChannel Finish(
        IDuplexPipe pipe,
        FrameReader reader,
        XWingPrivateKey ephemeral,
        byte[] clientHello,
        SigningKeyCheck isExpectedKey,
        ChannelOptions options)
    {
        var frame = reader.Frame.ToArray();
        if (reader.Header.Code == MessageCode.Error)
        {
            // In clear, so anyone on the path could have written it: it ends this attempt and proves nothing else.
            throw ChannelException.Of(WireReader.ReadWhole<ErrorReply>(frame.AsSpan(FrameHeader.Size)));
        }

        if (reader.Header.Code != MessageCode.ServerHello || !reader.Header.Session.IsZero || reader.Header.RequestId != 0)
        {
            throw ChannelFailed();
        }

        var hello = WireReader.ReadWhole<ServerHello>(frame.AsSpan(FrameHeader.Size));
        using var transcript = new Transcript(clientHello);
        transcript.Append(frame.AsSpan(0, frame.Length - Ed25519.SignatureSize));
        if (!Ed25519.Verify(hello.SigningKey, KeySchedule.SignedBytes(transcript.CurrentHash()), hello.Signature))
        {
            throw ChannelFailed();
        }

        if (!isExpectedKey(hello.SigningKey))
        {
            throw new ChannelException(ChannelFailure.UntrustedServer, "The server's key is not the expected one.");
        }

        Span<byte> sharedSecret = stackalloc byte[XWing.SharedSecretSize];
        if (!ephemeral.TryDecapsulate(hello.Ciphertext, sharedSecret))
        {
            throw ChannelFailed();
        }

        transcript.Append(frame.AsSpan(frame.Length - Ed25519.SignatureSize));
        var keys = KeySchedule.Derive(sharedSecret, transcript.CurrentHash());
        CryptographicOperations.ZeroMemory(sharedSecret);
        return new SecureChannel(
            pipe.Output,
            reader,
            keys.ClientToServer,
            keys.ServerToClient,
            new HandshakeResult(hello.Session, hello.Server, hello.Time, hello.SigningKey, keys.ChannelBinding),
            options);
    }
}
