using System.Runtime.InteropServices;
using KerberosMessaging.Terminal;
using KerberosMessaging.Terminal.Interaction;

using var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);
using var shell = new SystemShell();
return await KmsgProgram.RunAsync(args, shell, stop.Token);

// The first signal ends the command in good order; a second one ends the process at once.
void Stop(PosixSignalContext context)
{
    context.Cancel = !stop.IsCancellationRequested;
    stop.Cancel();
}
