using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.MessageServer;

return await ServerProgram.RunAsync("message server", () => MessageServerApp.BuildAsync(args));
