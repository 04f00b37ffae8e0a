namespace KerberosMessaging.Hosting.Startup.Commands;

/// <summary>What a server's program does besides serving.</summary>
internal abstract class ServerCommand
{
    /// <summary>Its name: the first words of the command line.</summary>
    public abstract string Name { get; }

    /// <summary>What it does, in a few words.</summary>
    public abstract string Summary { get; }

    /// <summary>Its own options, beside those of the configuration.</summary>
    public virtual IReadOnlyList<CommandOption> Options => [];

    /// <summary>Does it, and writes one line about it.</summary>
    /// <exception cref="StartupException">It could not, for a reason that the operator can mend.</exception>
    public abstract Task RunAsync(CommandCall call, CancellationToken cancellationToken);
}
