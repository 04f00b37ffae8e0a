using CsCheck;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Protocol.Tests;

public sealed class MalformedPayloadTests
{
    // What a refusal may allocate: the exception with its stack trace, and copies of bytes that did arrive.
    private const int RefusalBytes = 8 * 1024;

    public static TheoryData<MessageCode> Codes => MessageSample.Codes;

    [Theory]
    [MemberData(nameof(Codes))]
    public void Every_truncation_is_refused(MessageCode code)
    {
        var payload = Golden.Payload(code);
        var read = MessageSample.All[code].Read;

        for (var length = 0; length < payload.Length; length++)
        {
            if (code == MessageCode.Bundle && length == Bundle.HeadSize)
            {
                // Cut right between its two frames it is a bundle of one.
                continue;
            }

            AssertMalformed(() => read(payload.AsMemory(0, length)), $"the first {length} bytes");
        }
    }

    [Theory]
    [MemberData(nameof(Codes))]
    public void One_byte_too_many_is_refused(MessageCode code)
    {
        AssertMalformed(() => MessageSample.All[code].Read((byte[])[.. Golden.Payload(code), 0]), "a byte at the end");
    }

    [Theory]
    [MemberData(nameof(Codes))]
    public void Random_bytes_are_read_or_refused(MessageCode code)
    {
        var read = MessageSample.All[code].Read;

        Gen.Byte.Array[0, 400].Sample(payload => ReadOrRefuse(read, payload), iter: 2000);
    }

    [Theory]
    [MemberData(nameof(Codes))]
    public void A_payload_with_changed_bytes_is_read_or_refused(MessageCode code)
    {
        var golden = Golden.Payload(code);
        if (golden.Length == 0)
        {
            return;
        }

        var read = MessageSample.All[code].Read;
        var change = Gen.Select(Gen.Int[0, golden.Length - 1], Gen.Byte);

        Gen.Select(change.Array[1, 4], Gen.Int[0, golden.Length]).Sample(
            (changes, length) =>
            {
                var payload = golden[..length];
                foreach (var (position, value) in changes.Where(changed => changed.Item1 < length))
                {
                    payload[position] = value;
                }

                ReadOrRefuse(read, payload);
            },
            iter: 2000);
    }

    /// <summary>Whatever stands where a length or count is read, at any place of the payload, memory follows what has arrived.</summary>
    [Theory]
    [MemberData(nameof(Codes))]
    public void A_lying_length_or_count_allocates_next_to_nothing(MessageCode code)
    {
        var golden = Golden.Payload(code);
        var read = MessageSample.All[code].Read;
        byte[][] lies =
        [
            [0xFF, 0xFF], [0x00, 0x20], [0x01, 0x00], [0x10, 0x00],
            [0xFF, 0xFF, 0xFF, 0xFF], [0x7F, 0xFF, 0xFF, 0xFF], [0x80, 0x00, 0x00, 0x00], [0x00, 0x0F, 0xF0, 0x00],
        ];
        ReadOrRefuse(read, golden);
        ReadOrRefuse(read, [0xFF]);

        foreach (var lie in lies)
        {
            for (var position = 0; position <= golden.Length; position++)
            {
                byte[] cut = [.. golden.AsSpan(0, position), .. lie];
                byte[] whole = [.. cut, .. golden.AsSpan(Math.Min(golden.Length, cut.Length))];
                AssertFrugal(read, cut);
                AssertFrugal(read, whole);
            }
        }
    }

    [Theory]
    [InlineData("ff", "a byte that UTF-8 never uses")]
    [InlineData("80", "a continuation byte alone")]
    [InlineData("c3", "a sequence without its end")]
    [InlineData("c080", "an overlong zero")]
    [InlineData("e08080", "an overlong zero in three bytes")]
    [InlineData("eda080", "half a surrogate pair")]
    [InlineData("f4908080", "beyond U+10FFFF")]
    public void A_name_that_is_not_UTF_8_is_refused(string name, string what)
    {
        var bytes = Convert.FromHexString(name);

        AssertMalformed(() => WireReader.ReadWhole<LookUpClientRequest>([0, (byte)bytes.Length, .. bytes]), what);
    }

    private static void AssertMalformed(Func<object> read, string what)
    {
        var e = Record.Exception(read);
        Assert.True(e is ProtocolException { Error: ProtocolError.Malformed }, $"With {what}: {e?.ToString() ?? "no exception"}");
    }

    private static void ReadOrRefuse(Func<ReadOnlyMemory<byte>, IWireMessage> read, byte[] payload)
    {
        try
        {
            read(payload);
        }
        catch (ProtocolException)
        {
            // Anything else fails the test.
        }
    }

    private static void AssertFrugal(Func<ReadOnlyMemory<byte>, IWireMessage> read, byte[] payload)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        ReadOrRefuse(read, payload);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(
            allocated <= RefusalBytes + (4 * payload.Length),
            $"{allocated} bytes for {Convert.ToHexString(payload)}");
    }
}
