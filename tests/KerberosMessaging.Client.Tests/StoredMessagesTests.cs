using KerberosMessaging.Client.Store;
using KerberosMessaging.Client.Tests.Support;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Client.Tests;

/// <summary>The history of messages in the local store.</summary>
public sealed class StoredMessagesTests : IDisposable
{
    private static readonly DateTimeOffset At = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);

    private readonly TempFolder _folder = new();
    private readonly SecretBytes _outerKey = SecretBytes.Random(64);
    private readonly LocalStore _store;
    private readonly ClientId _peer = ClientId.New();

    public StoredMessagesTests() => _store = LocalStore.OpenOrCreate(_folder.File("store.db"), _outerKey);

    public void Dispose()
    {
        _store.Dispose();
        _outerKey.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_message_comes_out_as_it_was_put_in()
    {
        var message = Message("hello");
        Add(message);

        var found = NextUnread(0)!;

        Assert.Equal(message.Message, found.Message);
        Assert.Equal(_peer, found.Peer);
        Assert.False(found.IsOutgoing);
        Assert.Equal(message.Device, found.Device);
        Assert.Equal("bob", found.SenderName);
        Assert.Equal(At, found.AcceptedAt);
        Assert.Equal("hello", found.Content?.Text);
        Assert.Equal(MessageProblem.None, found.Problem);
        Assert.False(found.IsRead);
    }

    [Fact]
    public void Messages_are_read_in_the_order_in_which_they_came_until_they_are_marked()
    {
        Add(Message("first"), Message("second"), Message("third"));

        var first = NextUnread(0)!;
        var second = NextUnread(first.Id)!;
        _store.Write(transaction => transaction.MarkRead(second.Id, At));

        Assert.Equal("first", first.Content?.Text);
        Assert.Equal("second", second.Content?.Text);
        Assert.Equal("third", NextUnread(first.Id)?.Content?.Text);
        Assert.Equal("first", NextUnread(0)?.Content?.Text);
    }

    [Fact]
    public void What_was_sent_counts_as_read()
    {
        Add(Message("sent") with { IsOutgoing = true });

        Assert.Null(NextUnread(0));
        var found = Assert.Single(List());
        Assert.True(found.IsOutgoing);
        Assert.True(found.IsRead);
    }

    [Fact]
    public void A_message_is_there_once_for_each_peer_and_direction()
    {
        var message = Message("first");
        Add(message, message with { Content = Message("second").Content });

        Assert.Equal("first", Assert.Single(List()).Content?.Text);
        Add(message with { Peer = ClientId.New() }, message with { IsOutgoing = true });
        Assert.Equal(3, List().Count);
    }

    [Fact]
    public void A_message_that_can_be_read_after_all_takes_the_place_of_the_one_that_could_not_and_is_unread()
    {
        var message = Message("readable");
        Add(message with { Content = null, Problem = MessageProblem.Unreadable });
        var unreadable = NextUnread(0)!;
        Assert.Null(unreadable.Content);
        Assert.Equal(MessageProblem.Unreadable, unreadable.Problem);
        Assert.Equal("bob", unreadable.SenderName);
        _store.Write(transaction => transaction.MarkRead(unreadable.Id, At));

        Add(message);

        // Found by who reads along, and not marked by who is late with the other.
        var found = NextUnread(unreadable.Id)!;
        Assert.Equal("readable", found.Content?.Text);
        Assert.Equal(MessageProblem.None, found.Problem);
        _store.Write(transaction => transaction.MarkRead(unreadable.Id, At));
        Assert.False(Assert.Single(List()).IsRead);

        Add(message with { Content = null, Problem = MessageProblem.Unreadable });
        Assert.Equal("readable", Assert.Single(List()).Content?.Text);
    }

    [Fact]
    public void Content_of_an_unknown_format_is_kept_and_shown_as_unreadable()
    {
        var message = Message("");
        Add(message with { Content = [99, 1, 2] });
        Add(message);

        var found = Assert.Single(List());
        Assert.Null(found.Content);
        Assert.Equal(MessageProblem.Unreadable, found.Problem);
    }

    [Fact]
    public void The_history_is_listed_page_by_page_from_the_newest()
    {
        var other = ClientId.New();
        Add(Message("1"), Message("2"), Message("3") with { Peer = other }, Message("4") with { IsOutgoing = true });

        var page = List(limit: 2);
        Assert.Equal(["4", "3"], TextsOf(page));
        Assert.Equal(["2", "1"], TextsOf(List(before: page[^1].Id)));
        Assert.Equal(["4", "2", "1"], TextsOf(List(_peer)));
        Assert.Equal(["2"], TextsOf(List(_peer, page[0].Id, 1)));
        Assert.Equal(["3"], TextsOf(List(other)));
        Assert.Empty(List(ClientId.New()));
    }

    [Theory]
    [InlineData("HELLO", "Hello, world", "hello there")]
    [InlineData("world", "Hello, world")]
    [InlineData("caf\u00e9", "in the cafe\u0301", "the CAF\u00c9 again")]
    [InlineData("cafe\u0301", "in the cafe\u0301", "the CAF\u00c9 again")]
    [InlineData("\u00df", "Stra\u00dfe")]
    [InlineData("100%", "100% sure")]
    [InlineData("\ud800")]
    [InlineData("nowhere")]
    public void A_search_finds_texts_in_any_case_and_form(string text, params string[] expected)
    {
        Add(
            Message("Stra\u00dfe"),
            Message("100% sure"),
            Message("1000 sure"),
            Message("the CAF\u00c9 again"),
            Message("in the cafe\u0301"),
            Message("hello there") with { IsOutgoing = true },
            Message("Hello, world"),
            Message("") with { Content = null, Problem = MessageProblem.Unreadable });

        Assert.Equal(expected, TextsOf(Search(null, text)));
    }

    [Fact]
    public void A_search_keeps_to_its_peer_and_limit()
    {
        var other = ClientId.New();
        Add(Message("a1"), Message("a2") with { Peer = other }, Message("a3"), Message("a4"));

        Assert.Equal(["a4", "a3"], TextsOf(Search(null, "A", 2)));
        Assert.Equal(["a4", "a3", "a1"], TextsOf(Search(_peer, "a")));
        Assert.Equal(["a2"], TextsOf(Search(other, "a")));
    }

    [Fact]
    public void What_was_received_is_known_until_it_is_too_old()
    {
        var (old, recent) = (MessageId.New(), MessageId.New());
        _store.Write(transaction =>
        {
            transaction.AddReceived(_peer, old, At);
            transaction.AddReceived(_peer, old, At.AddDays(2));
            transaction.AddReceived(_peer, recent, At.AddDays(1));
        });
        Assert.True(IsReceived(_peer, old));
        Assert.True(IsReceived(_peer, recent));
        Assert.False(IsReceived(ClientId.New(), recent));

        _store.Write(static transaction => transaction.PurgeReceived(At.AddDays(1)));

        Assert.False(IsReceived(_peer, old));
        Assert.True(IsReceived(_peer, recent));

        bool IsReceived(ClientId sender, MessageId message) =>
            _store.Read(transaction => transaction.IsReceived(sender, message));
    }

    private static IEnumerable<string?> TextsOf(IEnumerable<StoredMessage> messages) =>
        messages.Select(static message => message.Content?.Text);

    private NewMessage Message(string text) => new(
        MessageId.New(),
        _peer,
        IsOutgoing: false,
        DeviceId.New(),
        "bob",
        At,
        MessageContent.OfText(text, At).ToBytes(),
        MessageProblem.None);

    private void Add(params NewMessage[] messages) => _store.Write(transaction =>
    {
        foreach (var message in messages)
        {
            transaction.AddMessage(message);
        }
    });

    private StoredMessage? NextUnread(long after) => _store.Read(transaction => transaction.NextUnread(after));

    private List<StoredMessage> List(ClientId? peer = null, long? before = null, int limit = 100) =>
        _store.Read(transaction => transaction.ListMessages(peer, before, limit));

    private List<StoredMessage> Search(ClientId? peer, string text, int limit = 100) =>
        _store.Read(transaction => transaction.SearchMessages(peer, text, limit));
}
