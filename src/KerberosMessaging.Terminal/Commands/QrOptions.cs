using System.CommandLine;
using KerberosMessaging.Terminal.Interaction;
using KerberosMessaging.Terminal.Rendering;

namespace KerberosMessaging.Terminal.Commands;

/// <summary>Whether a QR code is printed: on a terminal, unless it was said otherwise, and never in JSON.</summary>
internal sealed class QrOptions
{
    private readonly Option<bool> _yes = new("--qr") { Description = "Print the QR code even where the output is no terminal." };
    private readonly Option<bool> _no = new("--no-qr") { Description = "Leave the QR code out." };

    public void AddTo(Command command, Option<bool> json)
    {
        command.Add(_yes);
        command.Add(_no);
        command.Validators.Add(result =>
        {
            if (result.GetValue(_yes) && (result.GetValue(_no) || result.GetValue(json)))
            {
                result.AddError($"give {_yes.Name} or {(result.GetValue(_no) ? _no : json).Name}, not both");
            }
        });
    }

    public void Write(ParseResult parsed, IShell shell, string text)
    {
        if (parsed.GetValue(_yes) || (shell.IsOutputTerminal && !parsed.GetValue(_no)))
        {
            QrCode.Write(shell.Output, shell.IsOutputTerminal, text);
        }
    }
}
