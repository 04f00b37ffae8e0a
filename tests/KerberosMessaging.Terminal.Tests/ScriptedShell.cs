using KerberosMessaging.Terminal.Interaction;
using Microsoft.Extensions.Time.Testing;

namespace KerberosMessaging.Terminal.Tests;

/// <summary>A shell whose input, keys and environment a test writes, and whose output it reads.</summary>
internal sealed class ScriptedShell : IShell, IDisposable
{
    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();
    private readonly StringWriter _prompt = new();

    public Stream Input { get; init; } = new MemoryStream();

    public TextWriter Output
    {
        get => field ?? _output;
        init;
    }

    public TextWriter Error => _error;

    public TextWriter Prompt => _prompt;

    public bool IsInputTerminal => Keys is not null;

    public bool IsOutputTerminal { get; init; }

    public bool IsErrorTerminal { get; init; }

    public TimeProvider Time { get; init; } = new FakeTimeProvider();

    /// <summary>What the person types, Ctrl+C being <c>^C</c> and so on; null when there is no terminal.</summary>
    public string? Keys { get; init; }

    public Dictionary<string, string> Environment { get; } = [];

    public string Written => _output.ToString();

    public string Errors => _error.ToString();

    public string Prompted => _prompt.ToString();

    private Queue<ConsoleKeyInfo> Queued => field ??= new Queue<ConsoleKeyInfo>(Parse(Keys!));

    public string? GetEnvironment(string name) => Environment.GetValueOrDefault(name);

    public async Task<ConsoleKeyInfo> ReadKeyAsync(CancellationToken cancellationToken)
    {
        if (!Queued.TryDequeue(out var key))
        {
            // The person does nothing more.
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }

        return key;
    }

    public void Dispose()
    {
        _output.Dispose();
        _error.Dispose();
        _prompt.Dispose();
    }

    private static IEnumerable<ConsoleKeyInfo> Parse(string keys)
    {
        for (var i = 0; i < keys.Length; i++)
        {
            yield return keys[i] switch
            {
                '\n' => new ConsoleKeyInfo('\r', ConsoleKey.Enter, false, false, false),
                '\b' => new ConsoleKeyInfo('\x7f', ConsoleKey.Backspace, false, false, false),
                '^' => Control(keys[++i]),
                var character => new ConsoleKeyInfo(character, ConsoleKey.None, false, false, false),
            };
        }
    }

    private static ConsoleKeyInfo Control(char letter) =>
        new((char)(letter - '@'), Enum.Parse<ConsoleKey>([letter]), false, false, control: true);
}
