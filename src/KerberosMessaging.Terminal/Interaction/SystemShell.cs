using System.Text;
using Microsoft.Win32.SafeHandles;

namespace KerberosMessaging.Terminal.Interaction;

/// <summary>The shell that this process was started from.</summary>
internal sealed class SystemShell : IShell, IDisposable
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    private readonly Lazy<TextWriter> _prompt;

    public SystemShell()
    {
        Output = new StreamWriter(OpenOutput(), Utf8) { AutoFlush = true };
        Error = Console.Error;
        _prompt = new Lazy<TextWriter>(OpenPrompt);
    }

    public Stream Input { get; } = Console.OpenStandardInput();

    public TextWriter Output { get; }

    public TextWriter Error { get; }

    public TextWriter Prompt => _prompt.Value;

    public bool IsInputTerminal => !Console.IsInputRedirected;

    public bool IsOutputTerminal => !Console.IsOutputRedirected;

    public bool IsErrorTerminal => !Console.IsErrorRedirected;

    public TimeProvider Time => TimeProvider.System;

    public string? GetEnvironment(string name) => Environment.GetEnvironmentVariable(name);

    // ReadKey cannot be cancelled, so it is left behind on its thread, which does not hold up the end of the process.
    public Task<ConsoleKeyInfo> ReadKeyAsync(CancellationToken cancellationToken) =>
        Task.Run(static () => Console.ReadKey(intercept: true), cancellationToken).WaitAsync(cancellationToken);

    public void Dispose()
    {
        if (_prompt.IsValueCreated && !ReferenceEquals(Prompt, Error))
        {
            Prompt.Dispose();
        }
    }

    // The console's own stream takes a closed pipe for success. A message counts as read once it is written, so that must
    // be an error here. A file keeps the console's stream, which writes where the file's shared position is.
    private static Stream OpenOutput()
    {
        if (!OperatingSystem.IsWindows() && Console.IsOutputRedirected)
        {
            try
            {
                var stream = new FileStream(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
                if (!stream.CanSeek)
                {
                    return stream;
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
            {
                // Started with standard output closed.
            }
        }

        return Console.OpenStandardOutput();
    }

    private TextWriter OpenPrompt()
    {
        if (IsErrorTerminal || OperatingSystem.IsWindows())
        {
            return Error;
        }

        try
        {
            return new StreamWriter(new FileStream("/dev/tty", FileMode.Open, FileAccess.Write), Utf8) { AutoFlush = true };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Error;
        }
    }
}
