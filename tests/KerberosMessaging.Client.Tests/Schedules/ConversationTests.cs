namespace KerberosMessaging.Client.Tests.Schedules;

/// <summary>Conversations of three people without sockets, where nothing goes wrong.</summary>
public sealed class ConversationTests
{
    [Fact]
    public void Three_people_read_what_each_of_them_writes()
    {
        using var all = new Neighbourhood(3);
        for (var i = 0; i < 3; i++)
        {
            foreach (var from in all.Devices)
            {
                foreach (var to in all.Devices.Where(to => to != from))
                {
                    from.Send(to.Name, $"{from.Name} to {to.Name}, {i}");
                }
            }

            foreach (var device in all.Devices)
            {
                device.TakeAll();
                device.FollowUp();
            }
        }

        Assert.Equal(
            Enumerable.Range(0, 3).SelectMany(static i => new[] { $"alice to bob, {i}", $"carol to bob, {i}" }), all.Bob.Texts());
        Assert.Equal(6, all.Alice.Texts().Count);
        Assert.Equal(6, all.Carol.Texts().Count);
        Assert.True(all.Settle());
        Assert.Equal(18, all.Server.Log.Count);
    }
}
