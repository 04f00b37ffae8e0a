namespace KerberosMessaging.Terminal.Interaction;

/// <summary>What surrounds the program: standard streams, the terminal, environment variables, the clock.</summary>
internal interface IShell
{
    /// <summary>Standard input as bytes.</summary>
    Stream Input { get; }

    /// <summary>Standard output, for data alone.</summary>
    TextWriter Output { get; }

    /// <summary>Standard error, for everything else.</summary>
    TextWriter Error { get; }

    /// <summary>Where prompts go: the terminal, whatever the standard streams are redirected to.</summary>
    TextWriter Prompt { get; }

    bool IsInputTerminal { get; }

    bool IsOutputTerminal { get; }

    bool IsErrorTerminal { get; }

    TimeProvider Time { get; }

    string? GetEnvironment(string name);

    /// <summary>One key from the terminal, not echoed.</summary>
    Task<ConsoleKeyInfo> ReadKeyAsync(CancellationToken cancellationToken);
}
