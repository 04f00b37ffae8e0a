using System.Security.Cryptography;
using System.Text;

namespace KerberosMessaging.AuthServer.Tests.Support;

/// <summary>A name and its password, with the device that its person logs in from.</summary>
internal sealed record TestAccount(string Name)
{
    // No test finds it anywhere by chance.
    public string Password { get; } = $"correct horse {Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12))}";

    public byte[] PasswordBytes => Encoding.UTF8.GetBytes(Password);

    public TestDevice Device { get; } = new();
}
