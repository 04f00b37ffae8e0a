using System.Threading.Channels;

namespace KerberosMessaging.Terminal.Tests;

/// <summary>An output whose lines a test takes as they come, while the command still runs.</summary>
internal sealed class LineWriter : StringWriter
{
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();

    public override void WriteLine() => WriteLine("");

    public override void WriteLine(string? value) => _lines.Writer.TryWrite(value ?? "");

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task<string> NextAsync() => await _lines.Reader.ReadAsync(TestContext.Current.CancellationToken);
}
