using ArchUnitNET.Domain;
using ArchUnitNET.Loader;

namespace KerberosMessaging.ArchitectureTests;

/// <summary>The folders inside the servers keep their arrows too.</summary>
public sealed class LayerTests
{
    private static readonly Architecture Servers = new ArchLoader()
        .LoadAssemblies(
            Source.Load("AuthServer"),
            Source.Load("MessageServer"),
            Source.Load("Hosting"),
            Source.Load("Transport"),
            Source.Load("Protocol"))
        .Build();

    public static TheoryData<string> ServerProjects => ["AuthServer", "MessageServer"];

    [Theory]
    [MemberData(nameof(ServerProjects))]
    public void Domain_knows_no_wire_record(string server) =>
        AssertNoDependency($"KerberosMessaging.{server}.Domain", "KerberosMessaging.Protocol.Messages");

    [Theory]
    [MemberData(nameof(ServerProjects))]
    public void Domain_knows_no_request_handler_and_no_admin_endpoint(string server)
    {
        AssertNoDependency($"KerberosMessaging.{server}.Domain", $"KerberosMessaging.{server}.Requests");
        AssertNoDependency($"KerberosMessaging.{server}.Domain", $"KerberosMessaging.{server}.Admin");
    }

    [Theory]
    [MemberData(nameof(ServerProjects))]
    public void Persistence_knows_no_wire_record_and_no_request_handler(string server)
    {
        AssertNoDependency($"KerberosMessaging.{server}.Persistence", "KerberosMessaging.Protocol.Messages");
        AssertNoDependency($"KerberosMessaging.{server}.Persistence", $"KerberosMessaging.{server}.Requests");
    }

    [Fact]
    public void Servers_do_not_know_each_other()
    {
        AssertNoDependency("KerberosMessaging.AuthServer", "KerberosMessaging.MessageServer");
        AssertNoDependency("KerberosMessaging.MessageServer", "KerberosMessaging.AuthServer");
    }

    [Fact]
    public void Transport_and_hosting_know_no_concrete_request()
    {
        // What is about the connection itself.
        string[] generic =
        [
            "ClientHello", "ServerHello", "ErrorReply", "Notice", "NoticeKind", "PresentTicketRequest", "TicketAccepted",
            "AreYouThere", "PingRequest", "Done", "Bundle",
        ];
        var messages = Servers.Types
            .Where(type => type.Namespace?.FullName == "KerberosMessaging.Protocol.Messages" && !generic.Contains(type.Name))
            .ToHashSet();
        var offenders = Servers.Types
            .Where(static type => type.FullName.StartsWith("KerberosMessaging.Transport", StringComparison.Ordinal)
                || type.FullName.StartsWith("KerberosMessaging.Hosting", StringComparison.Ordinal))
            .Where(type => type.Dependencies.Any(dependency => messages.Contains(dependency.Target)))
            .Select(static type => type.FullName);

        Assert.NotEmpty(messages);
        Assert.Empty(offenders);
    }

    [Theory]
    [MemberData(nameof(ServerProjects))]
    public void The_check_sees_a_dependency_where_there_is_one(string server) => Assert.ThrowsAny<Exception>(
        () => AssertNoDependency($"KerberosMessaging.{server}.Requests", "KerberosMessaging.Protocol.Messages"));

    private static void AssertNoDependency(string from, string to)
    {
        var sources = Servers.Types.Where(type => IsIn(type, from)).ToList();
        var offenders = sources
            .Where(type => type.Dependencies.Any(dependency => IsIn(dependency.Target, to)))
            .Select(static type => type.FullName);

        Assert.NotEmpty(sources);
        Assert.Empty(offenders);
    }

    private static bool IsIn(IType type, string name) =>
        type.Namespace is { } declared
        && (declared.FullName == name || declared.FullName.StartsWith(name + ".", StringComparison.Ordinal));
}
