using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using KerberosMessaging.Benchmarks.Servers;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.Benchmarks.EndToEnd;

/// <summary>
/// What end-to-end encryption costs a device: CPU time of this process for starting a session, for messages of several sizes, for
/// ratchet turns and for storing the state, and of the steps that a message is made of. The best of several rounds counts, since what
/// comes on top in the others is the machine's.
/// </summary>
internal static class EndToEndBenchmark
{
    private const string Usage = "e2e [--json FILE]";
    private const int Rounds = 9;

    private static readonly TimeSpan RoundLength = TimeSpan.FromMilliseconds(150);
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static async Task<int> RunAsync(string[] args)
    {
        string? json;
        switch (args)
        {
            case []:
                json = null;
                break;
            case ["--json", var file]:
                json = file;
                break;
            default:
                await Console.Error.WriteLineAsync(Usage);
                return 2;
        }

        var results = Measure();
        foreach (var (name, microseconds) in results)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-32} {microseconds,10:F2}"));
        }

        if (json is not null)
        {
            var document = new JsonObject();
            foreach (var (name, microseconds) in results)
            {
                document[name] = Math.Round(microseconds, 2);
            }

            document["cpu_model"] = Machine.CpuModel;
            document["cores"] = Machine.Cpus;
            document["runtime"] = Environment.Version.ToString();
            await File.WriteAllTextAsync(json, document.ToJsonString(Indented));
        }

        return 0;
    }

    private static List<(string Name, double Microseconds)> Measure()
    {
        var results = new List<(string, double)>();
        void Add(string name, Func<long, TimeSpan> work) => results.Add((name, Best(work)));

        using (var pair = new Pair())
        {
            Add("session_start_us", Repeat(pair.StartSession));
            Add("session_accept_us", pair.AcceptSessions);
            Add("turn_us", Repeat(pair.Turn));
        }

        foreach (var (name, size) in ((string, int)[])[("64", 64), ("256", 256), ("1k", 1024), ("64k", 65536)])
        {
            using var encrypting = new Pair();
            Add($"encrypt_{name}_us", Repeat(() => encrypting.Encrypt(size)));
            using var decrypting = new Pair();
            Add($"decrypt_{name}_us", count => decrypting.Decrypt(size, count));
        }

        using (var group = new Group(devices: 10))
        {
            Add("encrypt_256_ten_devices_us", Repeat(group.Encrypt256));
        }

        using (var pair = new Pair())
        {
            Add("export_state_us", Repeat(pair.Export));
            Add("import_state_us", Repeat(pair.Import));
            results.Add(("state_bytes", pair.StateSize));
        }

        // The steps of encrypting 256 bytes on a running session, each alone.
        using var steps = new Steps();
        Add("step_chain_us", Repeat(steps.Chain));
        Add("step_derive_keys_us", Repeat(steps.DeriveKeys));
        Add("step_seal_header_us", Repeat(steps.SealHeader));
        Add("step_aes_256_us", Repeat(steps.Aes256));
        Add("step_tag_us", Repeat(steps.Tag));
        return results;
    }

    /// <summary>Microseconds of CPU time for one operation.</summary>
    private static double Best(Func<long, TimeSpan> work)
    {
        // Compiled in steps: until then the figures fall.
        var warmUp = Stopwatch.GetTimestamp();
        long perRound = 1;
        while (Stopwatch.GetElapsedTime(warmUp) < 4 * RoundLength)
        {
            var taken = work(perRound);
            perRound = Math.Clamp((long)(perRound * (RoundLength / Max(taken, TimeSpan.FromMicroseconds(10)))), 1, 20_000);
        }

        var best = double.MaxValue;
        for (var round = 0; round < Rounds; round++)
        {
            best = Math.Min(best, work(perRound).TotalMicroseconds / perRound);
        }

        return best;
    }

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private static Func<long, TimeSpan> Repeat(Action operation) => count =>
    {
        var started = CpuTime();
        for (long i = 0; i < count; i++)
        {
            operation();
        }

        return CpuTime() - started;
    };

    /// <summary>CPU time of all threads of this process: what collects garbage counts.</summary>
    internal static TimeSpan CpuTime() => Clock.Read();

    private static readonly CpuClock Clock = new(Environment.ProcessId);

    /// <summary>The primitives behind one message of 256 bytes, with the sizes that they have there.</summary>
    private sealed class Steps : IDisposable
    {
        private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
        private readonly byte[] _output = new byte[80];
        private readonly byte[] _header = new byte[41];
        private readonly byte[] _sealedHeader = new byte[AuthenticatedCbc.SealedLength(41)];
        private readonly byte[] _plaintext = new byte[256];
        private readonly byte[] _ciphertext = new byte[272];

        // Associated data, message id and the envelope before its tag.
        private readonly byte[] _authenticated = new byte[263 + 16 + 100 + 272];
        private readonly AuthenticatedCbc _headerCipher = new(RandomNumberGenerator.GetBytes(AuthenticatedCbc.KeySize));

        public void Chain()
        {
            HMACSHA256.HashData(_key, [1], _output);
            HMACSHA256.HashData(_key, [2], _output);
        }

        public void DeriveKeys() =>
            HKDF.DeriveKey(HashAlgorithmName.SHA256, _key, _output, stackalloc byte[32], "kmsg/25 message key"u8);

        public void SealHeader() => _headerCipher.Seal(_header, [], _sealedHeader);

        public void Aes256()
        {
            using var aes = Aes.Create();
            aes.SetKey(_key);
            aes.EncryptCbc(_plaintext, _output.AsSpan(0, 16), _ciphertext, PaddingMode.PKCS7);
        }

        public void Tag() => HMACSHA256.HashData(_key, _authenticated, _output);

        public void Dispose() => _headerCipher.Dispose();
    }
}
