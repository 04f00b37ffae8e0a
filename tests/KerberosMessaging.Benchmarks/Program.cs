using BenchmarkDotNet.Running;
using KerberosMessaging.Benchmarks.Auth;

// Whole servers under load are measured from outside; everything else is a micro-benchmark.
if (args is ["auth", .. var arguments])
{
    return await AuthBenchmark.RunAsync(arguments);
}

BenchmarkSwitcher.FromAssembly(typeof(AuthBenchmark).Assembly).Run(args);
return 0;
