using System.Reflection;
using KerberosMessaging.AuthServer.Persistence;

namespace KerberosMessaging.AuthServer.Tests.Support;

/// <summary>Holds the database's writer back, so that what is queued meanwhile comes together in its next transaction.</summary>
internal sealed class HeldWriter : IDisposable
{
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private HeldWriter()
    {
    }

    public static async Task<HeldWriter> HoldAsync(TestServer server)
    {
        var held = new HeldWriter();
        var holding = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = server.Get<AuthWriter>().WriteAsync(
            _ =>
            {
                holding.SetResult();
                held._released.Task.Wait(TimeSpan.FromSeconds(30));
            },
            TestContext.Current.CancellationToken);
        await Wait.ForAsync(holding.Task);
        return held;
    }

    /// <summary>Returns when so many pieces of work wait behind it.</summary>
    public static Task WaitingAsync(TestServer server, int count)
    {
        // The queue is the writer's own affair; from outside nobody sees whether a request has got there.
        var queue = typeof(AuthWriter).GetField("_queue", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(server.Get<AuthWriter>())!;
        var reader = queue.GetType().GetProperty("Reader")!.GetValue(queue)!;
        return Eventually.TrueAsync(() => (int)reader.GetType().GetProperty("Count")!.GetValue(reader)! >= count);
    }

    public void Dispose() => _released.TrySetResult();
}
