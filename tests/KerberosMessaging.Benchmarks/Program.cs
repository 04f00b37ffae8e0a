using BenchmarkDotNet.Running;
using KerberosMessaging.Benchmarks.Auth;
using KerberosMessaging.Benchmarks.EndToEnd;
using KerberosMessaging.Benchmarks.Relay;

// Whole servers under load are measured from outside; everything else is a micro-benchmark.
switch (args)
{
    case ["auth", .. var arguments]:
        return await AuthBenchmark.RunAsync(arguments);
    case ["e2e", .. var arguments]:
        return await EndToEndBenchmark.RunAsync(arguments);
    case ["relay", .. var arguments]:
        return await RelayBenchmark.RunAsync(arguments);
}

BenchmarkSwitcher.FromAssembly(typeof(AuthBenchmark).Assembly).Run(args);
return 0;
