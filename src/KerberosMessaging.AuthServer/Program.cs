using KerberosMessaging.AuthServer;
using KerberosMessaging.Hosting.Startup;

return await ServerProgram.RunAsync("auth server", async () =>
{
    var app = await AuthServerApp.BuildAsync(args);
    Console.WriteLine($"auth server: realm fingerprint {AuthServerApp.RealmFingerprint(app)}");
    return app;
});
