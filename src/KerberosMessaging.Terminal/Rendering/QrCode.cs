using QRCoder;
using Spectre.Console;

namespace KerberosMessaging.Terminal.Rendering;

/// <summary>A QR code for the camera of a phone, two rows of modules in each line of text.</summary>
internal static class QrCode
{
    private const char Both = '█';
    private const char Upper = '▀';
    private const char Lower = '▄';

    /// <summary>The lines of the code. Blocks are its light modules, so that it is right on a dark terminal without any colours.</summary>
    public static IReadOnlyList<string> LinesOf(string text)
    {
        using var code = QRCodeGenerator.GenerateQrCode(text, QRCodeGenerator.ECCLevel.M);
        var modules = code.ModuleMatrix;
        var lines = new List<string>();
        for (var row = 0; row < modules.Count; row += 2)
        {
            var (upper, lower) = (row, row + 1);
            lines.Add(string.Create(modules.Count, 0, (line, _) =>
            {
                for (var column = 0; column < line.Length; column++)
                {
                    line[column] = (IsLight(upper, column), IsLight(lower, column)) switch
                    {
                        (true, true) => Both,
                        (true, false) => Upper,
                        (false, true) => Lower,
                        _ => ' ',
                    };
                }
            }));
        }

        return lines;

        // Below the last of an odd number of rows there is only more of the margin.
        bool IsLight(int row, int column) => row == modules.Count || !modules[row][column];
    }

    /// <summary>Writes the code, on a terminal in colours of its own: on a light one it would be the negative.</summary>
    public static void Write(TextWriter output, bool isTerminal, string text)
    {
        var lines = LinesOf(text);
        if (isTerminal)
        {
            var console = Tables.ConsoleOn(output, lines[0].Length);
            foreach (var line in lines)
            {
                console.Write(new Text(line, new Style(Color.White, Color.Black)));
                console.WriteLine();
            }
        }
        else
        {
            foreach (var line in lines)
            {
                output.WriteLine(line);
            }
        }

        output.WriteLine();
    }
}
