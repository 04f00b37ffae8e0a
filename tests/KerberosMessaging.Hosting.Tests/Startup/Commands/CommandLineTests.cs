using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.Hosting.Startup.Commands;
using Microsoft.AspNetCore.Builder;

namespace KerberosMessaging.Hosting.Tests.Startup.Commands;

public sealed class CommandLineTests
{
    private static readonly ServerCommand[] Commands = [new Save(), new SaveNew()];

    private static ServerDefinition Sample => new()
    {
        Name = "sample",
        Configure = static _ => throw new InvalidOperationException("nothing is to be configured"),
        Data = new SampleData(),
    };

    [Theory]
    [InlineData]
    [InlineData("--Wire:Port=1")]
    [InlineData("--Wire:Port", "1")]
    public void Options_of_the_configuration_alone_mean_to_serve(params string[] args)
    {
        var line = CommandLine.Parse(args, Commands);

        Assert.Null(line.Command);
        Assert.False(line.IsHelp);
        Assert.Equal(args, line.Configuration);
    }

    [Theory]
    [InlineData("save", "--to", "file", "--Wire:Port", "1", "--Data:Directory=d")]
    [InlineData("save", "--Wire:Port", "1", "--to=file", "--Data:Directory=d")]
    public void A_command_takes_its_own_options_out_and_leaves_the_rest(params string[] args)
    {
        var line = CommandLine.Parse(args, Commands);

        Assert.IsType<Save>(line.Command);
        Assert.Equal("file", line.Options["--to"]);
        Assert.Equal(["--Wire:Port", "1", "--Data:Directory=d"], line.Configuration);
    }

    [Fact]
    public void A_command_of_two_words_is_not_the_one_of_its_first_word() =>
        Assert.IsType<SaveNew>(CommandLine.Parse(["save", "new"], Commands).Command);

    [Theory]
    [InlineData("unknown command 'serve'", "serve")]
    [InlineData("unknown command 'Save'", "Save")]
    [InlineData("save needs --to FILE", "save")]
    [InlineData("--to FILE", "save", "--to")]
    [InlineData("--to FILE", "save", "--to=")]
    [InlineData("--to FILE", "save", "--to", "--Wire:Port=1")]
    [InlineData("--all", "save", "--to", "file", "--all=yes")]
    [InlineData("twice", "save", "--to", "file", "--to", "other")]
    public void What_is_no_command_line_is_told_in_one_line(string reason, params string[] args)
    {
        var e = Assert.Throws<UsageException>(() => CommandLine.Parse(args, Commands));

        Assert.Contains(reason, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public async Task An_unknown_command_has_an_exit_code_of_its_own_and_starts_nothing() =>
        Assert.Equal(ServerProgram.UsageError, await ServerProgram.RunAsync(Sample, ["serve"], NoServer));

    [Theory]
    [InlineData("--help")]
    [InlineData("-h")]
    [InlineData("healthcheck", "--help")]
    public async Task Help_starts_nothing(params string[] args) => Assert.Equal(0, await ServerProgram.RunAsync(Sample, args, NoServer));

    [Fact]
    public void Help_lists_every_command_and_option()
    {
        var output = new StringWriter();

        ServerCommands.WriteHelp(Sample, output);

        Assert.All(ServerCommands.All, command =>
        {
            Assert.Contains($"  {command.Name} ", output.ToString(), StringComparison.Ordinal);
            Assert.All(command.Options, option => Assert.Contains(option.Form, output.ToString(), StringComparison.Ordinal));
        });
    }

    private static Task<WebApplication> NoServer() => throw new InvalidOperationException("no server is to be built");

    private class Save : ServerCommand
    {
        public override string Name => "save";

        public override string Summary => "Saves.";

        public override IReadOnlyList<CommandOption> Options =>
            [new("--to", "FILE", "Where.", IsRequired: true), new("--all", null, "All of it.")];

        public override Task RunAsync(CommandCall call, CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private sealed class SaveNew : Save
    {
        public override string Name => "save new";

        public override IReadOnlyList<CommandOption> Options => [];
    }
}
