using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Admin;

[OptionsValidator]
internal sealed partial class AdminOptionsValidator : IValidateOptions<AdminOptions>;
