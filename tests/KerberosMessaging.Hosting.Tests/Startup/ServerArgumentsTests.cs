using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.Hosting.Wire;

namespace KerberosMessaging.Hosting.Tests.Startup;

public sealed class ServerArgumentsTests
{
    [Theory]
    [InlineData("")]
    [InlineData("--Wire:Port=0")]
    [InlineData("--wire:port 0 --Admin:TokenFile=/run/secrets/token")]
    [InlineData("--Own:FrameDeadlineSeconds=3")]
    [InlineData("--Logging:LogLevel:Default=Debug")]
    [InlineData("--environment=Development")]
    public void Options_of_the_server_are_taken(string commandLine) => Check(commandLine);

    [Theory]
    [InlineData("nonsense", "'nonsense'")]
    [InlineData("--Wire:Prot=1", "'--Wire:Prot'")]
    [InlineData("--Wier:Port=1", "'--Wier:Port'")]
    [InlineData("--Wire:Port=1 --demo", "'--demo'")]
    [InlineData("--Wire:Port=1 stray", "'stray'")]
    [InlineData("--Wire:Port", "has no value")]
    [InlineData("-h", "'-h'")]
    [InlineData("--", "'--'")]
    [InlineData("--:=", "'--:'")]
    public void Anything_else_is_named_and_refused_in_one_line(string commandLine, string named)
    {
        var refusal = Assert.Throws<StartupException>(() => Check(commandLine));

        Assert.Contains(named, refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refusal.Message);
    }

    private static void Check(string commandLine) => ServerArguments.Check(
        commandLine.Split(' ', StringSplitOptions.RemoveEmptyEntries), ("Own", typeof(WireOptions)));
}
