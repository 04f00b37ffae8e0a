using System.Collections;
using System.Text.RegularExpressions;
using KerberosMessaging.Terminal.Rendering;
using QRCoder;

namespace KerberosMessaging.Terminal.Tests.Rendering;

public sealed partial class QrCodeTests
{
    private const string LinkCode = "ABCDE-FGHIJ-KLMNO-PQRST-UVWXY-Z2345-67ABC-DEFGH";

    private static readonly string Digits = string.Concat(Enumerable.Repeat("012345678901234", 4));

    [Theory]
    [InlineData("a")]
    [InlineData(LinkCode)]
    public void The_lines_are_the_modules_of_the_code(string text)
    {
        var matrix = MatrixOf(text);

        var lines = QrCode.LinesOf(text);

        for (var row = 0; row < lines.Count * 2; row++)
        {
            for (var column = 0; column < matrix.Count; column++)
            {
                var isDark = row < matrix.Count && matrix[row][column];
                Assert.Equal(isDark, !(lines[row / 2][column] is '█' || lines[row / 2][column] == (row % 2 == 0 ? '▀' : '▄')));
            }
        }
    }

    // Scanners need a margin of four modules.
    [Fact]
    public void The_code_has_a_light_margin()
    {
        var lines = QrCode.LinesOf(Digits);

        Assert.All(lines, line => Assert.True(line.StartsWith("████", StringComparison.Ordinal) && line.EndsWith("████", StringComparison.Ordinal)));
        Assert.All([.. lines.Take(2), .. lines.TakeLast(2)], line => Assert.All(line, character => Assert.Equal('█', character)));
        Assert.Equal(' ', lines[2][4]);
    }

    [Fact]
    public void Safety_number_and_link_code_fit_a_terminal_of_eighty_columns_and_twenty_four_lines()
    {
        Assert.All((string[])[Digits, LinkCode], text =>
        {
            var lines = QrCode.LinesOf(text);
            Assert.InRange(lines.Count, 1, 20);
            Assert.All(lines, line => Assert.Equal(lines[0].Length, line.Length));
            Assert.InRange(lines[0].Length, 1, 40);
        });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void It_is_written_line_by_line(bool isTerminal)
    {
        var output = new StringWriter();

        QrCode.Write(output, isTerminal, Digits);

        var written = isTerminal ? Colour().Replace(output.ToString(), "") : output.ToString();
        Assert.Equal([.. QrCode.LinesOf(Digits), "", ""], written.ReplaceLineEndings("\n").Split('\n'));
    }

    private static List<BitArray> MatrixOf(string text)
    {
        using var code = QRCodeGenerator.GenerateQrCode(text, QRCodeGenerator.ECCLevel.M);
        return code.ModuleMatrix;
    }

    // Whether there are any depends on the terminal that the tests run in.
    [GeneratedRegex(@"\e\[[0-9;]*m")]
    private static partial Regex Colour();
}
