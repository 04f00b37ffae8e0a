using KerberosMessaging.Hosting.Startup;
using KerberosMessaging.MessageServer;

return await ServerProgram.RunAsync(MessageServerApp.Definition, args, () => MessageServerApp.BuildAsync(args));
