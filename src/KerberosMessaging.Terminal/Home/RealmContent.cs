using System.Text.Json.Serialization;

namespace KerberosMessaging.Terminal.Home;

/// <summary>What <c>realm.json</c> holds.</summary>
internal sealed record RealmContent(string? Host, int Port, string? Fingerprint);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(RealmContent))]
internal sealed partial class RealmContentJson : JsonSerializerContext;
