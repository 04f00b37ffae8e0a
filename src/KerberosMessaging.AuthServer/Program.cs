using KerberosMessaging.AuthServer;
using KerberosMessaging.Hosting.Startup;

return await ServerProgram.RunAsync(AuthServerApp.Definition, args, async () =>
{
    var app = await AuthServerApp.BuildAsync(args);
    Console.WriteLine($"auth server: realm fingerprint {AuthServerApp.RealmFingerprint(app)}");
    return app;
});
