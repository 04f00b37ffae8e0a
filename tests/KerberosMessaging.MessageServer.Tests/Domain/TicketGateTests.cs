using System.Collections.Frozen;
using System.Security.Cryptography;
using KerberosMessaging.Cryptography;
using KerberosMessaging.MessageServer.Domain;
using KerberosMessaging.MessageServer.Tests.Support;
using KerberosMessaging.Protocol;
using KerberosMessaging.Tickets;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.MessageServer.Tests.Domain;

public sealed class TicketGateTests : IDisposable
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly TestRealm _realm = new();
    private readonly TestDevice _alice = TestDevice.Of("alice");
    private readonly SecretBytes _nextKey = SecretBytes.Random(ServiceTicket.ServiceKeySize);
    private readonly Ed25519PrivateKey _nextSigner = Ed25519PrivateKey.Generate();
    private readonly byte[] _binding = RandomNumberGenerator.GetBytes(32);
    private readonly TicketKeyRing _ring = new();
    private readonly RevokedTickets _revoked;
    private readonly TicketGate _gate;

    public TicketGateTests()
    {
        _revoked = new RevokedTickets(_time);
        _gate = new TicketGate(_ring, _revoked, _time);
    }

    public void Dispose()
    {
        _ring.Dispose();
        _realm.Dispose();
        _nextKey.Dispose();
        _nextSigner.Dispose();
    }

    [Fact]
    public void Before_enrolment_nothing_opens() => Assert.False(Opens(Ticket(old: true, oldSigner: true)));

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void A_ticket_opens_under_any_version_that_is_listed(bool oldKey, bool oldSigner)
    {
        Hold(serviceKeys: [3, 4], signers: [7, 8]);
        Assert.True(Opens(Ticket(oldKey, oldSigner)));
    }

    [Fact]
    public void A_version_that_is_not_listed_any_more_opens_nothing()
    {
        Hold(serviceKeys: [4], signers: [7, 8]);
        Assert.False(Opens(Ticket(old: true, oldSigner: true)));
        Assert.True(Opens(Ticket(old: false, oldSigner: true)));

        Hold(serviceKeys: [3, 4], signers: [8]);
        Assert.False(Opens(Ticket(old: true, oldSigner: true)));
        Assert.True(Opens(Ticket(old: true, oldSigner: false)));
    }

    [Fact]
    public void A_ticket_that_names_another_version_than_its_own_is_refused()
    {
        Hold(serviceKeys: [3, 4], signers: [7, 8]);
        Assert.False(Opens(_realm.Issue(_alice, _time.GetUtcNow(), keyVersion: 4)));
        Assert.False(Opens(_realm.Issue(_alice, _time.GetUtcNow(), signingVersion: 8)));
    }

    [Fact]
    public void A_version_can_come_a_second_time_with_another_key()
    {
        Hold(serviceKeys: [3], signers: [7]);
        _ring.Set(
            _realm.Server,
            new TicketKeySet(
                new Dictionary<uint, SecretBytes> { [3] = _nextKey.Clone() }.ToFrozenDictionary(),
                new Dictionary<uint, byte[]> { [7] = _nextSigner.PublicKey.ToArray() }.ToFrozenDictionary()));
        Assert.False(Opens(Ticket(old: true, oldSigner: true)));
        Assert.True(Opens(_realm.Issue(_alice, _time.GetUtcNow(), serviceKey: _nextKey, signer: _nextSigner)));
    }

    [Fact]
    public void What_is_revoked_opens_nothing_though_its_ticket_lives()
    {
        Hold(serviceKeys: [3], signers: [7]);
        var ticket = Ticket(old: true, oldSigner: true);
        Assert.True(Opens(ticket));
        _revoked.AddSession(_alice.Session, _time.GetUtcNow());
        Assert.False(Opens(ticket));
        Assert.True(Opens(_realm.Issue(_alice with { Session = SessionId.New() }, _time.GetUtcNow())));
    }

    [Fact]
    public void A_fresh_ticket_of_an_old_login_is_judged_by_the_login()
    {
        Hold(serviceKeys: [3], signers: [7]);
        var loggedInAt = _time.GetUtcNow();
        _time.Advance(TimeSpan.FromMinutes(5));
        _revoked.AddDevice(_alice.Address, _time.GetUtcNow());
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.False(Opens(_realm.Issue(_alice, _time.GetUtcNow(), authenticatedAt: loggedInAt)));
        Assert.True(Opens(_realm.Issue(_alice, _time.GetUtcNow())));
    }

    [Fact]
    public void Sets_are_the_same_when_versions_and_keys_are()
    {
        using var one = _realm.Keys;
        using var same = _realm.Keys;
        Assert.True(one.IsSameAs(same));
        Assert.False(one.IsSameAs(Keys([3, 4], [7])));
        Assert.False(one.IsSameAs(Keys([3], [8])));
        Assert.False(one.IsSameAs(one with
        {
            ServiceKeys = new Dictionary<uint, SecretBytes> { [3] = _nextKey }.ToFrozenDictionary(),
        }));
        Assert.False(one.IsSameAs(one with
        {
            TicketSigningKeys = new Dictionary<uint, byte[]> { [7] = _nextSigner.PublicKey.ToArray() }.ToFrozenDictionary(),
        }));
    }

    [Fact]
    public void Keys_are_told_by_their_versions_alone()
    {
        using var keys = _realm.Keys;
        Assert.Equal("service keys 3, ticket-signing keys 7", keys.ToString());
        var own = new EnrolledServer(_realm.Server, _realm.ServerKey, _realm.Key.PublicKey.ToArray(), keys, TokenHash: null).ToString();
        Assert.Contains("service keys 3", own, StringComparison.Ordinal);
        Assert.Contains("[redacted]", own, StringComparison.Ordinal);
    }

    private void Hold(uint[] serviceKeys, uint[] signers) => _ring.Set(_realm.Server, Keys(serviceKeys, signers));

    private TicketKeySet Keys(uint[] serviceKeys, uint[] signers) => new(
        serviceKeys.ToFrozenDictionary(static version => version, version => (version == 3 ? _realm.ServiceKey : _nextKey).Clone()),
        signers.ToFrozenDictionary(
            static version => version, version => (version == 7 ? _realm.TicketSigningKey : _nextSigner).PublicKey.ToArray()));

    private TestTicket Ticket(bool old, bool oldSigner) => _realm.Issue(
        _alice,
        _time.GetUtcNow(),
        keyVersion: old ? 3u : 4u,
        serviceKey: old ? _realm.ServiceKey : _nextKey,
        signer: oldSigner ? _realm.TicketSigningKey : _nextSigner,
        signingVersion: oldSigner ? 7u : 8u);

    private bool Opens(TestTicket ticket)
    {
        var authenticator = Authenticator.For(_binding).Seal(ticket.SessionKey, MessageCode.PresentTicket);
        using var opened = _gate.TryOpen(ticket.Bytes, authenticator, _binding);
        return opened is not null;
    }
}
