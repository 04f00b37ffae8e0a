using System.Runtime.InteropServices;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Protocol.Tests;

namespace KerberosMessaging.Transport.Tests;

/// <summary>The worked examples of docs/protocol.md, sections 13.1 and 13.2, are what the code does.</summary>
public sealed class SpecificationTests
{
    private static readonly byte[] ClientHelloFrame = Example("client-hello");
    private static readonly byte[] ServerHelloFrame = Example("server-hello");
    private static readonly ClientHello ClientHello = WireReader.ReadWhole<ClientHello>(ClientHelloFrame.AsSpan(FrameHeader.Size));
    private static readonly ServerHello ServerHello = WireReader.ReadWhole<ServerHello>(ServerHelloFrame.AsSpan(FrameHeader.Size));

    [Fact]
    public void The_hellos_are_frames_of_the_stated_messages()
    {
        Assert.Equal(1275, ClientHelloFrame.Length);
        Assert.Equal(1315, ServerHelloFrame.Length);
        Assert.Equal(ClientHelloFrame, KeySchedule.Frame(ClientHello, 0));
        Assert.Equal(ServerHelloFrame, KeySchedule.Frame(ServerHello, 0));
    }

    [Fact]
    public void The_public_key_and_the_shared_secret_belong_to_the_stated_private_key()
    {
        var publicKey = new byte[XWing.PublicKeySize];
        var privateKey = new byte[32];
        var sharedSecret = new byte[XWing.SharedSecretSize];

        Assert.Equal(0, SeedKeyPair(publicKey, privateKey, Example("xwing-seed")));
        Assert.Equal(ClientHello.PublicKey, publicKey);
        Assert.Equal(0, Decapsulate(sharedSecret, ServerHello.Ciphertext, privateKey));
        Assert.Equal(Example("shared-secret"), sharedSecret);
    }

    [Fact]
    public void The_server_hello_is_signed_over_the_stated_hash()
    {
        using var signingKey = Ed25519PrivateKey.FromSeed(Example("realm-seed"));
        using var transcript = new Transcript(ClientHelloFrame);
        transcript.Append(ServerHelloFrame.AsSpan(0, ServerHelloFrame.Length - Ed25519.SignatureSize));
        var hash = transcript.CurrentHash();

        Assert.Equal(Example("transcript-signed"), hash);
        Assert.Equal(Example("realm-key"), signingKey.PublicKey.ToArray());
        Assert.Equal(Example("realm-key"), ServerHello.SigningKey);
        Assert.Equal(ServerHello.Signature, signingKey.Sign(KeySchedule.SignedBytes(hash)));
    }

    [Fact]
    public void The_fingerprint_is_the_hash_of_the_realm_key_and_the_servers_id_its_beginning()
    {
        var fingerprint = System.Security.Cryptography.SHA256.HashData(Example("realm-key"));

        Assert.Equal(Example("realm-fingerprint"), fingerprint);
        Assert.Equal(fingerprint[..16], ServerHello.Server.Value.ToByteArray(bigEndian: true));
    }

    [Fact]
    public void The_keys_follow_from_the_shared_secret_and_the_transcript()
    {
        using var transcript = new Transcript(ClientHelloFrame);
        transcript.Append(ServerHelloFrame);
        var hash = transcript.CurrentHash();
        var prk = new byte[KeyDerivation.PseudorandomKeySize];
        var recordKey = new byte[AuthenticatedCbc.KeySize];
        var (clientToServer, serverToClient, binding) = KeySchedule.Derive(Example("shared-secret"), hash);
        KeyDerivation.Extract(hash, Example("shared-secret"), prk);
        KeyDerivation.Expand(clientToServer.Span, "kmsg/25 record key", recordKey);

        Assert.Equal(Example("transcript"), hash);
        Assert.Equal(Example("channel-prk"), prk);
        Assert.Equal(Example("secret-client-to-server"), clientToServer.Span.ToArray());
        Assert.Equal(Example("secret-server-to-client"), serverToClient.Span.ToArray());
        Assert.Equal(Example("channel-binding"), binding);
        Assert.Equal(Example("record-key"), recordKey);
    }

    [Fact]
    public void The_records_open_to_the_stated_requests()
    {
        using var receiving = ClientToServer();

        AssertOpens(receiving, "record-0", new LookUpClientRequest("bob"), 1);
        AssertOpens(receiving, "record-1", new ListServersRequest(), 2);
    }

    [Fact]
    public void The_record_after_a_new_key_opens_with_it()
    {
        using var receiving = ClientToServer(recordsPerKey: 2);
        var next = new byte[KeySchedule.SecretSize];
        KeyDerivation.Expand(Example("secret-client-to-server"), "kmsg/25 rekey", next);

        Assert.Equal(Example("secret-after-rekey"), next);
        AssertOpens(receiving, "record-0", new LookUpClientRequest("bob"), 1);
        AssertOpens(receiving, "record-1", new ListServersRequest(), 2);
        AssertOpens(receiving, "record-2-after-rekey", new LookUpClientRequest("bob"), 3);
    }

    [Fact]
    public void The_record_after_mixing_opens_with_the_mixed_key()
    {
        using var receiving = ClientToServer();
        var mixed = new byte[KeySchedule.SecretSize];
        KeyDerivation.Extract(Example("secret-client-to-server"), Example("channel-mix-key"), mixed);

        Assert.Equal(Example("secret-after-mix"), mixed);
        AssertOpens(receiving, "record-0", new LookUpClientRequest("bob"), 1);
        AssertOpens(receiving, "record-1", new ListServersRequest(), 2);
        receiving.Mix(Example("channel-mix-key"));
        AssertOpens(receiving, "record-2-after-mix", new LookUpClientRequest("bob"), 3);
    }

    private static byte[] Example(string name) => SpecificationDocument.Example(name);

    private static RecordProtector ClientToServer(int recordsPerKey = RecordProtector.RecordsPerKey) =>
        new(new SecretBytes(Example("secret-client-to-server")), recordsPerKey);

    private static void AssertOpens<T>(RecordProtector receiving, string name, T message, uint requestId)
        where T : IWireMessage<T>
    {
        var frame = Example(name);
        var header = new byte[FrameHeader.Size];
        new FrameHeader(ServerHello.Session, T.Code, requestId, frame.Length - FrameHeader.Size).Write(header);
        var plaintext = new byte[frame.Length];

        Assert.Equal(header, frame[..FrameHeader.Size]);
        Assert.True(receiving.TryOpen(header, frame.AsSpan(FrameHeader.Size), plaintext, out var length), name);
        Assert.Equal(WireWriter.ToArray(message), plaintext[..length]);
    }

    // The private key of an example is a fixed seed, which the library rightly offers no way to use.
    [DllImport("libsodium", EntryPoint = "crypto_kem_xwing_seed_keypair")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SeedKeyPair(byte[] publicKey, byte[] privateKey, byte[] seed);

    [DllImport("libsodium", EntryPoint = "crypto_kem_xwing_dec")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Decapsulate(byte[] sharedSecret, byte[] ciphertext, byte[] privateKey);
}
