namespace KerberosMessaging.EndToEndTests.Support;

/// <summary>Tests that measure time, or read figures that the whole process shares, run while no other test does.</summary>
[CollectionDefinition(nameof(AloneOnTheMachine), DisableParallelization = true)]
public sealed class AloneOnTheMachine;
