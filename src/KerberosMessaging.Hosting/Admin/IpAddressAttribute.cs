using System.ComponentModel.DataAnnotations;
using System.Net;

namespace KerberosMessaging.Hosting.Admin;

/// <summary>Accepts what <see cref="IPAddress.TryParse(string?, out IPAddress?)"/> accepts.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class IpAddressAttribute() : ValidationAttribute("The field {0} must be an IP address, such as 127.0.0.1.")
{
    // An absent value is the business of [Required].
    public override bool IsValid(object? value) =>
        value is null or "" || (value is string text && IPAddress.TryParse(text, out _));
}
