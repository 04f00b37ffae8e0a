using System.CommandLine;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Terminal.Interaction;

namespace KerberosMessaging.Terminal.Commands;

/// <summary>Where a password comes from. There is no option that takes one: arguments are seen by others and kept by shells.</summary>
internal sealed class PasswordOptions
{
    private readonly Option<string?> _file = new("--password-file")
    {
        Description = "Take the password from the first line of a file.",
        HelpName = "FILE",
    };

    private readonly Option<bool> _input = new("--password-stdin")
    {
        Description = "Take the password from the first line of standard input.",
    };

    public void AddTo(Command command)
    {
        command.Add(_file);
        command.Add(_input);
        command.Validators.Add(result =>
        {
            if (result.GetResult(_file) is not null && result.GetResult(_input) is not null)
            {
                result.AddError("give --password-file or --password-stdin, not both");
            }
        });
    }

    public Task<SecretBytes> ReadAsync(ParseResult parsed, IShell shell, string question, bool twice, CancellationToken cancellationToken)
    {
        var input = new PasswordInput(shell);
        return parsed.GetValue(_file) is { } file
            ? input.ReadFileAsync(file, cancellationToken)
            : parsed.GetValue(_input)
                ? input.ReadInputAsync(cancellationToken)
                : input.AskAsync(question, twice, cancellationToken);
    }
}
