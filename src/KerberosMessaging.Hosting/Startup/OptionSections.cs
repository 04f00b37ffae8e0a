using System.Reflection;
using KerberosMessaging.Hosting.Admin;
using KerberosMessaging.Hosting.Backup;
using KerberosMessaging.Hosting.Health;
using KerberosMessaging.Hosting.Logs;
using KerberosMessaging.Hosting.Telemetry;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.Hosting.Wire.Limits;

namespace KerberosMessaging.Hosting.Startup;

/// <summary>The sections of options that a server knows.</summary>
public static class OptionSections
{
    /// <summary>Those of every server and its own.</summary>
    /// <param name="own">The server's own sections: name and options class.</param>
    public static IReadOnlyList<(string Section, Type Options)> With(params ReadOnlySpan<(string Section, Type Options)> own) =>
    [
        (WireOptions.SectionName, typeof(WireOptions)),
        (LimitOptions.SectionName, typeof(LimitOptions)),
        (AdminOptions.SectionName, typeof(AdminOptions)),
        (DataOptions.SectionName, typeof(DataOptions)),
        (TelemetryOptions.SectionName, typeof(TelemetryOptions)),
        (LogOptions.SectionName, typeof(LogOptions)),
        (HealthOptions.SectionName, typeof(HealthOptions)),
        (BackupOptions.SectionName, typeof(BackupOptions)),
        .. own,
    ];

    /// <summary>The options of a class: the properties that can be set.</summary>
    /// <param name="options">The class.</param>
    public static IEnumerable<PropertyInfo> Properties(Type options)
    {
        ArgumentNullException.ThrowIfNull(options);

        return options.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(static property => property.CanWrite);
    }

    /// <summary>The option of a name, whose case does not matter; null where there is none.</summary>
    internal static PropertyInfo? Find(Type options, string name) =>
        Properties(options).FirstOrDefault(property => property.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
}
