using System.Collections.Frozen;
using KerberosMessaging.Protocol;

namespace KerberosMessaging.Hosting.Wire;

/// <summary>Finds the handler of a request. A code that two handlers claim stops the host at start.</summary>
public sealed class RequestDispatcher
{
    private readonly FrozenDictionary<MessageCode, RequestRoute> _routes;

    /// <summary>Builds the table.</summary>
    /// <param name="routes">The registered routes.</param>
    /// <exception cref="ArgumentException">Two routes have one code.</exception>
    public RequestDispatcher(IEnumerable<RequestRoute> routes) => _routes = routes.ToFrozenDictionary(static route => route.Code);

    /// <summary>The codes with a handler.</summary>
    public IReadOnlyCollection<MessageCode> Codes => _routes.Keys;

    internal RequestRoute? Find(MessageCode code) => _routes.GetValueOrDefault(code);
}
