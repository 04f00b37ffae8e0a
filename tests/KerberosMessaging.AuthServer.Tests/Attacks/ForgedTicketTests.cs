using KerberosMessaging.AuthServer.Tests.Support;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using KerberosMessaging.Tickets;
using Microsoft.EntityFrameworkCore;

namespace KerberosMessaging.AuthServer.Tests.Attacks;

/// <summary>Golden and silver tickets: made by somebody who has stolen one of the realm's keys, but not all of them.</summary>
public sealed class ForgedTicketTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private TestMessageServer _messages = null!;
    private QuickAccount _alice = null!;
    private TestTicket _ticket = null!;
    private TestClient _client = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        _messages = await _server.EnrolAsync();
        (_alice, _ticket, _client) = await _server.SignUpQuickAsync("alice");
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public void A_service_ticket_forged_with_a_stolen_service_key_is_refused()
    {
        using var thief = Ed25519PrivateKey.Generate();
        var genuine = Seal(_server.Keys.TicketSigning[1]);

        // Control: what is missing is the realm's signature alone.
        Assert.NotNull(_messages.Open(genuine));

        Assert.Null(_messages.Open(Seal(thief)));
        Assert.Null(_messages.Open(Seal(_server.Keys.Realm)));
        Assert.Null(_messages.Open(Seal(_server.Keys.TicketSigning[1], signingVersion: 2)));
        Assert.Null(_messages.Open(Seal(_server.Keys.TicketSigning[1], signingVersion: 0)));
        var forged = Seal(thief);
        Assert.Null(_messages.Open(forged.AsSpan(..^64)));
        Assert.Null(_messages.Open([.. forged.AsSpan(..^64), .. new byte[64]]));
        Assert.Null(_messages.Open([.. forged.AsSpan(..^64), .. genuine.AsSpan(^64..)]));
    }

    [Fact]
    public async Task A_genuine_signature_does_not_carry_over_to_a_ticket_for_longer_or_for_somebody_else()
    {
        var (genuine, part) = await _client.RequestServiceTicketAsync(_ticket, _messages.Registered.Server);
        part.Dispose();
        using var body = _messages.Open(genuine)!;
        var times = body.Times;
        using var thief = Ed25519PrivateKey.Generate();
        foreach (var (client, session, device, endsAt) in new[]
        {
            (ClientId.New(), body.Session, body.Device, times.EndsAt),
            (body.Client, SessionId.New(), body.Device, times.EndsAt),
            (body.Client, body.Session, DeviceId.New(), times.EndsAt),
            (body.Client, body.Session, body.Device, times.EndsAt.AddYears(10)),
        })
        {
            using var changed = new TicketBody
            {
                Session = session,
                Client = client,
                ClientName = body.ClientName,
                Device = device,
                SessionKey = body.SessionKey.Clone(),
                Times = times with { EndsAt = endsAt },
            };
            var forged = ServiceTicket.Seal(changed, _messages.Registered.Server, _messages.ServiceKey, 1, thief, 1);
            Assert.Null(_messages.Open([.. forged.AsSpan(..^64), .. genuine.AsSpan(^64..)]));
        }
    }

    [Fact]
    public async Task A_ticket_forged_on_a_revoked_session_is_refused_though_all_in_it_is_right()
    {
        Assert.Null(await _server.TryPresentAsync(_ticket.Forge(_server.Keys)));
        await _client.RequestAsync<Done>(new LogoutRequest(Everywhere: false));

        await AssertRefusedAsync(_ticket.Forge(_server.Keys));
        var now = _server.Time.GetUtcNow();
        await AssertRefusedAsync(_ticket.Forge(_server.Keys, times: new TicketTimes(now, now, now.AddHours(1), now.AddDays(7))));

        // Nor is it of use on another session of the same client.
        await using var other = await _server.ConnectAsync();
        var living = await _alice.LoginAsync(other);
        await AssertRefusedAsync(living.Forge(_server.Keys, session: _ticket.Part.Session));
        Assert.Null(await _server.TryPresentAsync(living));
    }

    [Fact]
    public async Task A_ticket_forged_on_a_session_whose_row_was_swept_is_refused()
    {
        await _server.ReadAsync(static database => database.Sessions.ExecuteDeleteAsync(Cancel));

        await AssertRefusedAsync(_ticket);
        await AssertRefusedAsync(_ticket.Forge(_server.Keys));
    }

    [Fact]
    public async Task A_post_dated_ticket_is_refused_until_its_start()
    {
        var now = _server.Time.GetUtcNow();
        var starts = now.AddHours(1);
        var postDated = _ticket.Forge(_server.Keys, times: _ticket.Part.Times with { StartsAt = starts });
        await AssertRefusedAsync(postDated);

        _server.Time.AdjustTime(starts);
        Assert.Null(await _server.TryPresentAsync(postDated));
    }

    [Fact]
    public async Task A_ticket_that_ends_before_it_starts_is_refused()
    {
        var times = _ticket.Part.Times;

        await AssertRefusedAsync(_ticket.Forge(_server.Keys, times: times with { EndsAt = times.StartsAt }));
        await AssertRefusedAsync(_ticket.Forge(_server.Keys, times: times with { EndsAt = times.StartsAt.AddHours(-1) }));
    }

    [Fact]
    public async Task A_stolen_ticket_is_of_no_use_without_its_session_key()
    {
        var (_, bobs, bob) = await _server.SignUpQuickAsync("bob");
        await using (bob)
        {
            foreach (var request in TestTicket.Requests)
            {
                // Bob has seen Alice's ticket, and everything of his own.
                var stolen = new TestTicket(_ticket.Bytes, bobs.Part);
                Assert.Equal(
                    ProtocolError.TicketRefused,
                    await bob.RefusalAsync(stolen.Request(bob, request, server: _messages.Registered.Server)));
            }
        }
    }

    [Fact]
    public async Task A_service_ticket_says_whose_device_it_is_for_whoever_shows_it()
    {
        var phone = new TestDevice();
        await using var onPhone = await _server.ConnectAsync();
        var phones = await _alice.LoginAsync(onPhone, phone);

        var (forLaptop, laptopPart) = await _client.RequestServiceTicketAsync(_ticket, _messages.Registered.Server);
        var (forPhone, phonePart) = await onPhone.RequestServiceTicketAsync(phones, _messages.Registered.Server);

        using var laptop = _messages.Open(forLaptop)!;
        using var second = _messages.Open(forPhone)!;
        Assert.Equal((_alice.Device.Id, phone.Id), (laptop.Device, second.Device));
        Assert.NotEqual(laptop.SessionKey.Span.ToArray(), second.SessionKey.Span.ToArray());
        laptopPart.Dispose();
        phonePart.Dispose();
    }

    private byte[] Seal(Ed25519PrivateKey signing, uint signingVersion = 1)
    {
        using var body = new TicketBody
        {
            Session = _ticket.Part.Session,
            Client = _ticket.Part.Client,
            ClientName = "alice",
            Device = _alice.Device.Id,
            SessionKey = SessionKey.New(),
            Times = _ticket.Part.Times,
        };
        return ServiceTicket.Seal(body, _messages.Registered.Server, _messages.ServiceKey, 1, signing, signingVersion);
    }

    private async Task AssertRefusedAsync(TestTicket ticket)
    {
        await using var client = await _server.ConnectAsync();
        foreach (var request in TestTicket.Requests)
        {
            Assert.Equal(
                ProtocolError.TicketRefused,
                await client.RefusalAsync(ticket.Request(client, request, server: _messages.Registered.Server)));
        }

        Assert.Equal(ProtocolError.NotSignedIn, await client.RefusalAsync(new ListServersRequest()));
    }
}
