using System.Text.Json;
using System.Text.Json.Serialization;

namespace KerberosMessaging.Cryptography.Tests;

/// <summary>Reads a file of published vectors; byte arrays are hexadecimal in it.</summary>
internal static class VectorFile
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        Converters = { new HexConverter() },
        RespectRequiredConstructorParameters = false,
    };

    public static T Read<T>(string file) =>
        JsonSerializer.Deserialize<T>(
            File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Vectors", file)), Options)!;

    public static IReadOnlyList<TCase> Cases<TCase>(string file)
    {
        var vectors = Read<VectorSet<TCase>>(file);
        Assert.False(string.IsNullOrWhiteSpace(vectors.Source));
        Assert.NotEmpty(vectors.Cases);
        return vectors.Cases;
    }

    private sealed class HexConverter : JsonConverter<byte[]>
    {
        public override byte[] Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            Convert.FromHexString(reader.GetString()!);

        public override void Write(Utf8JsonWriter writer, byte[] value, JsonSerializerOptions options) =>
            writer.WriteStringValue(Convert.ToHexStringLower(value));
    }
}

internal sealed record VectorSet<TCase>(string Source, TCase[] Cases);
