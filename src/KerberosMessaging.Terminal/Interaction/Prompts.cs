namespace KerberosMessaging.Terminal.Interaction;

/// <summary>Questions to the person at the terminal.</summary>
internal sealed class Prompts(IShell shell)
{
    /// <summary>Asks for something that must not be seen or stay in memory: the caller clears the characters.</summary>
    public Task<TypedLine> AskSecretAsync(string question, CancellationToken cancellationToken) =>
        AskAsync(question, echo: false, cancellationToken);

    /// <summary>Asks for something that may be seen.</summary>
    public async Task<string> AskLineAsync(string question, CancellationToken cancellationToken)
    {
        using var line = await AskAsync(question, echo: true, cancellationToken);
        return line.Characters.ToString();
    }

    /// <summary>Asks until the answer is yes or no.</summary>
    public async Task<bool> AskYesNoAsync(string question, CancellationToken cancellationToken)
    {
        while (true)
        {
            using var line = await AskAsync($"{question} [yes/no] ", echo: true, cancellationToken);
            switch (line.Characters.ToString().Trim().ToLowerInvariant())
            {
                case "yes" or "y":
                    return true;
                case "no" or "n":
                    return false;
                default:
                    shell.Prompt.WriteLine("Please answer yes or no.");
                    break;
            }
        }
    }

    private async Task<TypedLine> AskAsync(string question, bool echo, CancellationToken cancellationToken)
    {
        shell.Prompt.Write(question);
        shell.Prompt.Flush();
        var line = new TypedLine();
        try
        {
            while (true)
            {
                var key = await shell.ReadKeyAsync(cancellationToken);
                switch (key)
                {
                    case { Key: ConsoleKey.Enter } or { KeyChar: '\r' or '\n' }:
                        shell.Prompt.WriteLine();
                        return line;
                    case { Key: ConsoleKey.C, Modifiers: ConsoleModifiers.Control }:
                    case { Key: ConsoleKey.D, Modifiers: ConsoleModifiers.Control } when line.Characters.IsEmpty:
                        throw new CommandException(ExitCode.Interrupted, "interrupted");
                    case { Key: ConsoleKey.U, Modifiers: ConsoleModifiers.Control }:
                        Erase(line.Characters.Length);
                        line.Clear();
                        break;
                    case { Key: ConsoleKey.Backspace } or { KeyChar: '\b' or '\x7f' }:
                        Erase(line.RemoveLast());
                        break;
                    case { KeyChar: var character } when !char.IsControl(character) && line.TryAdd(character):
                        if (echo)
                        {
                            shell.Prompt.Write(character);
                            shell.Prompt.Flush();
                        }

                        break;
                }
            }
        }
        catch
        {
            line.Dispose();
            shell.Prompt.WriteLine();
            throw;
        }

        void Erase(int count)
        {
            for (var i = 0; echo && i < count; i++)
            {
                shell.Prompt.Write("\b \b");
            }
        }
    }
}
