using System.Text;

namespace KerberosMessaging.EndToEnd.Tests;

/// <summary>
/// A file of recorded values: lines of "name = hex" and comments. The recorded exchanges hold randomness, so they are recorded once:
/// where the environment variable <see cref="RecordTo"/> names the folder of these files, the tests write them anew.
/// </summary>
internal sealed class VectorFile
{
    public const string RecordTo = "KMSG_RECORD_VECTORS_TO";

    private readonly Dictionary<string, byte[]> _values = [];
    private readonly StringBuilder _text = new();

    public byte[] this[string name] => _values[name];

    public static VectorFile Read(string name, Action<VectorFile> record)
    {
        if (Environment.GetEnvironmentVariable(RecordTo) is { Length: > 0 } folder)
        {
            var recorded = new VectorFile();
            record(recorded);
            Directory.CreateDirectory(folder);
            File.WriteAllText(Path.Combine(folder, name), recorded._text.ToString());
            return recorded;
        }

        var file = new VectorFile();
        foreach (var line in File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Vectors", name)))
        {
            if (line.Length > 0 && line[0] != '#')
            {
                var parts = line.Split(" = ");
                file._values.Add(parts[0], Convert.FromHexString(parts[1]));
            }
        }

        return file;
    }

    public bool Has(string name) => _values.ContainsKey(name);

    public void Comment(string text)
    {
        if (_text.Length > 0)
        {
            _text.Append('\n');
        }

        foreach (var line in text.Split('\n'))
        {
            _text.Append("# ").Append(line.TrimEnd('\r')).Append('\n');
        }
    }

    public void Add(string name, byte[] value)
    {
        _values.Add(name, value);
        _text.Append(name).Append(" = ").Append(Convert.ToHexStringLower(value)).Append('\n');
    }

    /// <summary>Asserts that a value computed anew is the recorded one.</summary>
    public void Matches(string name, byte[] value) =>
        Assert.Equal($"{name} = {Convert.ToHexStringLower(_values[name])}", $"{name} = {Convert.ToHexStringLower(value)}");
}
