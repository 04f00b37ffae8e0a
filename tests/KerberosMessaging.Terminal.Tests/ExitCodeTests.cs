using KerberosMessaging.Client;

namespace KerberosMessaging.Terminal.Tests;

public sealed class ExitCodeTests
{
    [Fact]
    public void Numbers_never_change()
    {
        var numbers = Enum.GetValues<ExitCode>().ToDictionary(code => code.ToString(), code => (int)code);

        Assert.Equal(
            new Dictionary<string, int>
            {
                ["Ok"] = 0,
                ["Usage"] = 2,
                ["Unreachable"] = 3,
                ["LoginFailed"] = 4,
                ["NotLoggedIn"] = 5,
                ["Untrusted"] = 6,
                ["UnknownRecipient"] = 7,
                ["RecipientNotReady"] = 8,
                ["Refused"] = 9,
                ["LocalProblem"] = 10,
                ["TakenOver"] = 11,
                ["TooManyRequests"] = 12,
                ["Unexpected"] = 70,
                ["Interrupted"] = 130,
            },
            numbers);
    }

    [Theory]
    [InlineData(MessagingFailure.Unreachable, 3)]
    [InlineData(MessagingFailure.UntrustedServer, 6)]
    [InlineData(MessagingFailure.LoginFailed, 4)]
    [InlineData(MessagingFailure.NotLoggedIn, 5)]
    [InlineData(MessagingFailure.NameTaken, 9)]
    [InlineData(MessagingFailure.NameInvalid, 9)]
    [InlineData(MessagingFailure.RegistrationClosed, 9)]
    [InlineData(MessagingFailure.InviteRefused, 9)]
    [InlineData(MessagingFailure.RegistrationRefused, 9)]
    [InlineData(MessagingFailure.PasswordTooShort, 2)]
    [InlineData(MessagingFailure.StretchingRefused, 6)]
    [InlineData(MessagingFailure.ClientDisabled, 4)]
    [InlineData(MessagingFailure.TooManyRequests, 12)]
    [InlineData(MessagingFailure.DeviceRefused, 9)]
    [InlineData(MessagingFailure.LinkRefused, 9)]
    [InlineData(MessagingFailure.UnknownDevice, 9)]
    [InlineData(MessagingFailure.UnknownRecipient, 7)]
    [InlineData(MessagingFailure.RecipientNotReady, 8)]
    [InlineData(MessagingFailure.IdentityChanged, 6)]
    [InlineData(MessagingFailure.MailboxFull, 9)]
    [InlineData(MessagingFailure.TakenOver, 11)]
    [InlineData(MessagingFailure.StoreUnusable, 10)]
    [InlineData(MessagingFailure.BackupUnusable, 10)]
    [InlineData(MessagingFailure.BlobNotFound, 9)]
    [InlineData(MessagingFailure.BlobTooLarge, 9)]
    [InlineData(MessagingFailure.BlobQuotaExceeded, 9)]
    [InlineData(MessagingFailure.BlobDamaged, 9)]
    [InlineData(MessagingFailure.Refused, 9)]
    public void Each_failure_has_its_code(MessagingFailure failure, int code) =>
        Assert.Equal(code, (int)FailureReport.CodeOf(failure));

    [Fact]
    public void No_failure_counts_as_a_fault_of_the_program() =>
        Assert.DoesNotContain(Enum.GetValues<MessagingFailure>(), failure => FailureReport.CodeOf(failure) == ExitCode.Unexpected);

    [Fact]
    public async Task Help_lists_all_of_them()
    {
        using var home = new TempHome();
        var shell = new ScriptedShell();

        Assert.Equal(ExitCode.Ok, await home.RunAsync(shell, "help", "exit-codes"));

        foreach (var code in Enum.GetValues<ExitCode>())
        {
            Assert.Contains($"{(int)code}  {ExitCodeHelp.Describe(code)}", shell.Written, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("help")]
    public async Task The_program_s_help_ends_with_them(string argument)
    {
        using var home = new TempHome();
        var shell = new ScriptedShell();

        Assert.Equal(ExitCode.Ok, await home.RunAsync(shell, argument));

        Assert.Contains("Commands:", shell.Written, StringComparison.Ordinal);
        Assert.EndsWith($"130  {ExitCodeHelp.Describe(ExitCode.Interrupted)}{Environment.NewLine}", shell.Written, StringComparison.Ordinal);
        Assert.Empty(shell.Errors);
    }
}
