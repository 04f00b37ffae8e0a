using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Transport.Tests;

public sealed class RekeyTests
{
    // Sealed, a Done has 64 bytes, as has every message of up to 15.
    private const int SealedSize = 64;

    private static readonly byte[] SessionKey = [.. Enumerable.Range(1, 64).Select(value => (byte)value)];

    [Fact]
    public async Task Records_pass_over_many_new_keys_in_both_directions()
    {
        var options = new ChannelOptions { RecordsPerKey = 3, BytesPerKey = 5 * SealedSize };
        using var channel = await ChannelPair.OpenAsync(options, options);

        for (var i = 1u; i <= 20; i++)
        {
            await channel.CarryToServerAsync(i);
            await channel.CarryToServerAsync(i);
            await channel.CarryToClientAsync(i);
        }
    }

    [Fact]
    public async Task A_direction_takes_a_new_key_after_exactly_so_many_records()
    {
        using var channel = await ChannelPair.OpenAsync(new ChannelOptions { RecordsPerKey = 3 });
        await channel.CarryToServerAsync(1);
        await channel.CarryToServerAsync(2);
        await channel.CarryToServerAsync(3);

        await Check.RefusedAsync(ProtocolError.ChannelFailed, () => channel.CarryToServerAsync(4));
    }

    [Fact]
    public async Task A_direction_takes_a_new_key_once_so_many_sealed_bytes_are_reached()
    {
        using var channel = await ChannelPair.OpenAsync(serverOptions: new ChannelOptions { BytesPerKey = (2 * SealedSize) + 1 });
        await channel.CarryToClientAsync(1);
        await channel.CarryToClientAsync(2);
        await channel.CarryToClientAsync(3);

        await Check.RefusedAsync(ProtocolError.ChannelFailed, () => channel.CarryToClientAsync(4));
    }

    [Fact]
    public async Task A_new_key_of_one_direction_leaves_the_other_alone()
    {
        var options = new ChannelOptions { RecordsPerKey = 2 };
        using var channel = await ChannelPair.OpenAsync(options, options);
        await channel.CarryToServerAsync(1);
        await channel.CarryToServerAsync(2);
        await channel.CarryToServerAsync(3);

        await channel.CarryToClientAsync(1);
        await channel.CarryToClientAsync(2);
        await channel.CarryToClientAsync(3);
    }

    [Fact]
    public void The_limits_of_the_protocol_are_a_million_records_and_a_gibibyte()
    {
        Assert.Equal(1_048_576, new ChannelOptions().RecordsPerKey);
        Assert.Equal(1_073_741_824, new ChannelOptions().BytesPerKey);
    }

    [Fact]
    public async Task After_mixing_at_both_ends_records_pass_in_both_directions()
    {
        using var channel = await ChannelPair.OpenAsync();
        await channel.CarryToServerAsync(1);
        await channel.CarryToClientAsync(1);

        channel.Client.MixSend(SessionKey);
        channel.Server.MixReceive(SessionKey);
        await channel.CarryToServerAsync(2);
        await channel.CarryToClientAsync(2);
        channel.Server.MixSend(SessionKey);
        channel.Client.MixReceive(SessionKey);
        await channel.CarryToServerAsync(3);
        await channel.CarryToClientAsync(3);
    }

    [Fact]
    public async Task A_record_under_the_old_key_fails_once_the_receiver_has_mixed()
    {
        using var channel = await ChannelPair.OpenAsync();
        channel.Server.MixReceive(SessionKey);

        await Check.RefusedAsync(ProtocolError.ChannelFailed, () => channel.CarryToServerAsync(1));
    }

    [Fact]
    public async Task A_record_under_the_mixed_key_fails_before_the_receiver_has_mixed()
    {
        using var channel = await ChannelPair.OpenAsync();
        channel.Server.MixSend(SessionKey);

        await Check.RefusedAsync(ProtocolError.ChannelFailed, () => channel.CarryToClientAsync(1));
    }

    [Fact]
    public async Task Ends_that_mix_different_keys_do_not_understand_each_other()
    {
        using var channel = await ChannelPair.OpenAsync();
        channel.Client.MixSend(SessionKey);
        channel.Server.MixReceive([.. SessionKey[..63], 0]);

        await Check.RefusedAsync(ProtocolError.ChannelFailed, () => channel.CarryToServerAsync(1));
    }

    [Fact]
    public async Task Mixing_starts_the_count_towards_the_next_key_anew_but_not_the_sequence()
    {
        var options = new ChannelOptions { RecordsPerKey = 3 };
        using var channel = await ChannelPair.OpenAsync(options);
        await channel.CarryToServerAsync(1);
        await channel.CarryToServerAsync(2);
        channel.Client.MixSend(SessionKey);
        channel.Server.MixReceive(SessionKey);

        await channel.CarryToServerAsync(3);
        await channel.CarryToServerAsync(4);
        await channel.CarryToServerAsync(5);
        await Check.RefusedAsync(ProtocolError.ChannelFailed, () => channel.CarryToServerAsync(6));
    }

    [Fact]
    public void A_record_of_the_same_place_under_the_same_key_never_looks_the_same_twice()
    {
        var header = new byte[FrameHeader.Size];
        using var first = new RecordProtector(new SecretBytes(SessionKey));
        using var second = new RecordProtector(new SecretBytes(SessionKey));
        var once = new byte[SealedSize];
        var again = new byte[SealedSize];

        first.Seal(header, WireWriter.ToArray(new Done()), once);
        second.Seal(header, WireWriter.ToArray(new Done()), again);

        Assert.NotEqual(once, again);
        Assert.True(new RecordProtector(new SecretBytes(SessionKey)).TryOpen(header, once, new byte[SealedSize], out _));
    }
}
