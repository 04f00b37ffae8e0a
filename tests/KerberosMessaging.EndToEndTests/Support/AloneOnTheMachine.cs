namespace KerberosMessaging.EndToEndTests.Support;

/// <summary>Tests that measure time run while no other test does.</summary>
[CollectionDefinition(nameof(AloneOnTheMachine), DisableParallelization = true)]
public sealed class AloneOnTheMachine;
