using KerberosMessaging.Stack;

return await StackCommand.RunAsync(args);
