using System.Reflection;
using System.Xml.Linq;

namespace KerberosMessaging.ArchitectureTests;

/// <summary>The references between projects are the arrows of docs/architecture.md and no others.</summary>
public sealed class ProjectArrowTests
{
    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        ["Protocol"] = [],
        ["Cryptography"] = [],
        ["Tickets"] = ["Protocol", "Cryptography"],
        ["Transport"] = ["Protocol", "Cryptography"],
        ["EndToEnd"] = ["Cryptography"],
        ["Hosting"] = ["Transport"],
        ["AuthServer"] = ["Hosting", "Tickets"],
        ["MessageServer"] = ["Hosting", "Tickets"],
        ["Client"] = ["Transport", "Tickets", "EndToEnd"],
        ["Terminal"] = ["Client"],
        ["Stack"] = ["AuthServer", "MessageServer", "Client"],
    };

    /// <summary>What a project must not inherit, by the start of an assembly's name.</summary>
    private static readonly Dictionary<string, string[]> Forbidden = new()
    {
        ["Protocol"] = ["Microsoft.", "NSec", "System.Security.Cryptography", "System.Net", "System.IO.Pipelines"],
        ["Cryptography"] = ["Microsoft.AspNetCore", "Microsoft.EntityFrameworkCore", "Microsoft.Extensions", "System.Net.Sockets"],
        ["Tickets"] = ["Microsoft.AspNetCore", "Microsoft.EntityFrameworkCore", "System.Net.Sockets"],
        ["Transport"] = ["Microsoft.AspNetCore", "Microsoft.EntityFrameworkCore"],
        ["EndToEnd"] = ["Microsoft.", "System.Net", "System.IO.Pipelines"],
        ["Hosting"] = ["Microsoft.EntityFrameworkCore", "Microsoft.Data.Sqlite"],
        ["Client"] = ["Microsoft.AspNetCore", "Microsoft.EntityFrameworkCore"],
        ["Terminal"] = ["Microsoft.AspNetCore", "Microsoft.EntityFrameworkCore", "Microsoft.Data.Sqlite", "NSec"],
    };

    public static TheoryData<string> Projects => [.. Arrows.Keys];

    public static TheoryData<string> RestrictedProjects => [.. Forbidden.Keys];

    [Theory]
    [MemberData(nameof(Projects))]
    public void Project_references_are_exactly_the_allowed_arrows(string project)
    {
        var file = Path.Combine(Source.Folder, $"KerberosMessaging.{project}", $"KerberosMessaging.{project}.csproj");
        var references = XDocument.Load(file)
            .Descendants("ProjectReference")
            .Select(static reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value))
            .Select(static name => name["KerberosMessaging.".Length..])
            .Order();

        Assert.Equal(Arrows[project].Order(), references);
    }

    [Fact]
    public void Every_project_of_the_source_folder_has_its_arrows_stated() => Assert.Equal(
        Arrows.Keys.Order(),
        Directory.GetDirectories(Source.Folder).Select(static folder => Path.GetFileName(folder)["KerberosMessaging.".Length..]).Order());

    [Theory]
    [MemberData(nameof(RestrictedProjects))]
    public void Project_does_not_use_what_it_must_not_inherit(string project)
    {
        var used = Source.Load(project).GetReferencedAssemblies().Select(static assembly => assembly.Name!);

        Assert.DoesNotContain(used, name => Forbidden[project].Any(start =>
            name.StartsWith(start, StringComparison.Ordinal) && name != "Microsoft.Extensions.Logging.Abstractions"));
    }

    [Fact]
    public void Terminal_uses_nothing_of_ours_but_the_client()
    {
        // Key material passes through by its type alone, which the client's own signatures name.
        string[] allowed = ["KerberosMessaging.Client", "KerberosMessaging.Cryptography", "KerberosMessaging.Protocol"];
        var ours = Source.Load("Terminal").GetReferencedAssemblies()
            .Select(static assembly => assembly.Name!)
            .Where(static name => name.StartsWith("KerberosMessaging.", StringComparison.Ordinal));

        Assert.Empty(ours.Except(allowed));
    }

    [Fact]
    public void Top_level_holds_nothing_unexpected()
    {
        string[] allowed =
        [
            ".ci", ".config", ".dockerignore", ".editorconfig", ".env.example", ".git", ".gitignore", "Directory.Build.props",
            "Directory.Packages.props", "Dockerfile.auth", "Dockerfile.msg", "KerberosMessaging.sln", "LICENSE", "README.md",
            "BenchmarkDotNet.Artifacts", "TestResults", "artifacts", // what builds and tests leave, ignored by git
            "data", "deploy", // what docker-compose.yml mounts
            "docker-compose.yml", "docs", "global.json", "src", "tests",
        ];
        var found = Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(Source.Folder)!).Select(Path.GetFileName);

        Assert.Empty(found.Except(allowed));
    }
}

/// <summary>Where the projects under test are.</summary>
internal static class Source
{
    public static string Folder { get; } = Path.Combine(FindRoot(), "src");

    public static Assembly Load(string project) =>
        Assembly.Load(project == "Terminal" ? "kmsg" : $"KerberosMessaging.{project}");

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "KerberosMessaging.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("KerberosMessaging.sln was not found above the tests.");
    }
}
