using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace KerberosMessaging.EndToEndTests.Support;

/// <summary>How a realm differs from the default.</summary>
internal sealed record RealmSetup
{
    /// <summary>Further command line of the auth server.</summary>
    public string[] Auth { get; init; } = [];

    /// <summary>Further command line of the message server.</summary>
    public string[] Message { get; init; } = [];

    /// <summary>A folder with the data folders of both servers, of which copies are started on; null to begin anew.</summary>
    public string? Data { get; init; }

    /// <summary>Changes both servers before they are built; only for servers in this process.</summary>
    public Action<WebApplicationBuilder>? Configure { get; init; }

    /// <summary>A realm whose servers live by a clock of the test's.</summary>
    public static RealmSetup At(TimeProvider clock, params string[] auth) => new()
    {
        // Such a clock is turned by hours: nobody could answer a ping in time.
        Auth = ["--Wire:PingAfterSeconds=0", .. auth],
        Message = ["--Wire:PingAfterSeconds=0"],
        Configure = builder => builder.Services.AddSingleton(clock),
    };
}
