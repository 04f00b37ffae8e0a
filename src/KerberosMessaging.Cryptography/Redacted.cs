namespace KerberosMessaging.Cryptography;

/// <summary>What every type that holds a secret prints instead of it.</summary>
internal static class Redacted
{
    internal const string Text = "[redacted]";
}
