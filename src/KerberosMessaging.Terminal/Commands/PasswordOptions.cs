using System.CommandLine;
using System.Text;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Terminal.Interaction;

namespace KerberosMessaging.Terminal.Commands;

/// <summary>
/// Where a password or a token comes from. There is no option that takes one: arguments are seen by others and kept by shells.
/// </summary>
internal sealed class PasswordOptions
{
    private readonly string _what;
    private readonly string _option;
    private readonly Option<string?> _file;
    private readonly Option<bool> _input;

    public PasswordOptions(string what = "password", string option = "--password")
    {
        (_what, _option) = (what, option);
        _file = new Option<string?>($"{option}-file")
        {
            Description = $"Take the {what} from the first line of a file.",
            HelpName = "FILE",
        };
        _input = new Option<bool>($"{option}-stdin")
        {
            Description = $"Take the {what} from the first line of standard input.",
        };
    }

    public void AddTo(Command command)
    {
        command.Add(_file);
        command.Add(_input);
        command.Validators.Add(result =>
        {
            if (result.GetResult(_file) is not null && result.GetResult(_input) is not null)
            {
                result.AddError($"give {_file.Name} or {_input.Name}, not both");
            }
        });
    }

    /// <summary>Adds both to a command. Standard input has a first line for one of them.</summary>
    public static void AddTo(Command command, PasswordOptions one, PasswordOptions other)
    {
        one.AddTo(command);
        other.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetResult(one._input) is not null && result.GetResult(other._input) is not null)
            {
                result.AddError($"give {one._input.Name} or {other._input.Name}, not both");
            }
        });
    }

    /// <summary>Whether the command line says where it comes from.</summary>
    public bool IsGiven(ParseResult parsed) => parsed.GetValue(_file) is not null || parsed.GetValue(_input);

    public Task<SecretBytes> ReadAsync(ParseResult parsed, IShell shell, string question, bool twice, CancellationToken cancellationToken)
    {
        var input = new PasswordInput(shell, _what, _option);
        return parsed.GetValue(_file) is { } file
            ? input.ReadFileAsync(file, cancellationToken)
            : parsed.GetValue(_input)
                ? input.ReadInputAsync(cancellationToken)
                : input.AskAsync(question, twice, cancellationToken);
    }

    /// <summary>A one-time token, which is text; spaces around it are not part of it.</summary>
    public async Task<string> ReadTokenAsync(ParseResult parsed, IShell shell, string question, CancellationToken cancellationToken)
    {
        using var token = await ReadAsync(parsed, shell, question, twice: false, cancellationToken);
        return Encoding.UTF8.GetString(token.Span).Trim();
    }
}
