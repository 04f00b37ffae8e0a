using System.Security.Cryptography;
using System.Text;
using System.Text.Unicode;
using KerberosMessaging.Client;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Terminal.Home;

namespace KerberosMessaging.Terminal.Interaction;

/// <summary>
/// Gets a password from the terminal, a file or standard input, leaving no copy of it behind. Never from an argument or
/// the environment, which other users and logs can see.
/// </summary>
/// <param name="shell">The shell.</param>
/// <param name="what">What is asked for, to a person.</param>
/// <param name="option">How the options begin that say where it comes from.</param>
internal sealed class PasswordInput(IShell shell, string what = "password", string option = "--password")
{
    // The longest password in UTF-8, and a line end.
    private const int MaxBytes = (Password.MaxLength * 3) + 2;

    public async Task<SecretBytes> ReadFileAsync(string path, CancellationToken cancellationToken)
    {
        using var stream = SecretFiles.Open(path, $"{what} file", shell.Error);
        return await ReadFirstLineAsync(stream, $"the {what} file '{path}'", cancellationToken);
    }

    public Task<SecretBytes> ReadInputAsync(CancellationToken cancellationToken) => shell.IsInputTerminal
        ? throw CommandException.Usage(
            $"standard input is the terminal, which would show the {what}", $"without {option}-stdin it is asked for unseen")
        : ReadFirstLineAsync(shell.Input, "standard input", cancellationToken);

    public async Task<SecretBytes> AskAsync(string question, bool twice, CancellationToken cancellationToken)
    {
        if (!shell.IsInputTerminal)
        {
            throw CommandException.Usage(
                $"there is no terminal to ask for the {what}", $"give {option}-file FILE or {option}-stdin");
        }

        var prompts = new Prompts(shell);
        using var line = await prompts.AskSecretAsync(question, cancellationToken);
        if (twice)
        {
            using var again = await prompts.AskSecretAsync("The same again: ", cancellationToken);
            if (!line.Characters.SequenceEqual(again.Characters))
            {
                throw CommandException.Usage($"the two {what}s are not the same");
            }
        }

        return Check(line.Characters, $"the {what}");
    }

    private async Task<SecretBytes> ReadFirstLineAsync(Stream stream, string source, CancellationToken cancellationToken)
    {
        var bytes = GC.AllocateArray<byte>(MaxBytes, pinned: true);
        var characters = GC.AllocateArray<char>(MaxBytes, pinned: true);
        try
        {
            var length = 0;
            int lineEnd;
            while ((lineEnd = bytes.AsSpan(0, length).IndexOf((byte)'\n')) < 0 && length < bytes.Length)
            {
                var read = await stream.ReadAsync(bytes.AsMemory(length), cancellationToken).AsTask().WaitAsync(cancellationToken);
                if (read == 0)
                {
                    lineEnd = length;
                    break;
                }

                length += read;
            }

            if (lineEnd < 0)
            {
                throw CommandException.Usage($"the first line of {source} is too long for a {what}");
            }

            var line = bytes.AsSpan(0, lineEnd);
            line = line.StartsWith(Encoding.UTF8.Preamble) ? line[Encoding.UTF8.Preamble.Length..] : line;
            line = line.EndsWith("\r"u8) ? line[..^1] : line;
            if (Utf8.ToUtf16(line, characters, out _, out var written, replaceInvalidSequences: false) != System.Buffers.OperationStatus.Done)
            {
                throw CommandException.Usage($"the first line of {source} is not UTF-8 text");
            }

            return Check(characters.AsSpan(0, written), $"the first line of {source}");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
            Array.Clear(characters);
        }
    }

    private static SecretBytes Check(ReadOnlySpan<char> characters, string source)
    {
        if (characters.Length is 0 or > Password.MaxLength)
        {
            throw CommandException.Usage(
                characters.IsEmpty ? $"{source} is empty" : $"{source} is longer than {Password.MaxLength} characters");
        }

        try
        {
            return Password.FromCharacters(characters);
        }
        catch (ArgumentException e)
        {
            throw new CommandException(ExitCode.Usage, $"{source} is not well-formed text", inner: e);
        }
    }
}
