using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KerberosMessaging.Hosting.Logs;

/// <summary>The fields that every line has where they are known.</summary>
internal static class LogFields
{
    public static IEnumerable<(string Name, string Value)> Read(IExternalScopeProvider? scopes)
    {
        var found = new List<LogCorrelation>();
        scopes?.ForEachScope(static (scope, list) => Add(scope, list), found);
        foreach (var correlation in found)
        {
            yield return (correlation.Kind, correlation.Id);
        }

        if (Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity)
        {
            yield return ("trace", activity.TraceId.ToHexString());
        }
    }

    private static void Add(object? scope, List<LogCorrelation> found)
    {
        if (scope is LogCorrelation correlation)
        {
            found.Add(correlation);
        }
    }
}
