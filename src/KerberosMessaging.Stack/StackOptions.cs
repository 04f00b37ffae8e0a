namespace KerberosMessaging.Stack;

/// <summary>How the two servers are to run.</summary>
internal sealed record StackOptions
{
    /// <summary>The folder of both servers' data.</summary>
    public required string Data { get; init; }

    /// <summary>The address to listen on and to tell clients.</summary>
    public string Address { get; init; } = "127.0.0.1";

    public int AuthPort { get; init; } = 1256;

    public int AuthAdminPort { get; init; } = 8081;

    public int MessagePort { get; init; } = 1257;

    public int MessageAdminPort { get; init; } = 8082;

    /// <summary>The least level that the servers log.</summary>
    public string LogLevel { get; init; } = "Information";
}
