namespace KerberosMessaging.AuthServer.Tests.Support;

/// <summary>Tests that measure the processor time of this process: nothing else runs in it meanwhile.</summary>
[CollectionDefinition(nameof(AloneInTheProcess), DisableParallelization = true)]
public sealed class AloneInTheProcess;
