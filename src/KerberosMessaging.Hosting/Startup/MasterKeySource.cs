using System.Security.Cryptography;
using System.Text;

namespace KerberosMessaging.Hosting.Startup;

/// <summary>Finds the master key that the options name. Everything that can go wrong becomes one readable line.</summary>
internal static class MasterKeySource
{
    /// <summary>The master key in force.</summary>
    /// <param name="options">Name a file, give the key, or do neither: then it is in the data folder.</param>
    /// <param name="isRingSealed">Whether something is sealed already, so that a new key would be a wrong one.</param>
    /// <exception cref="StartupException">There is none, or it is not one.</exception>
    public static MasterKey Load(DataOptions options, bool isRingSealed)
    {
        if (options.GivenMasterKey is { } text)
        {
            return ParseText(text);
        }

        if (options.ConfiguredMasterKeyFile is null && !File.Exists(options.MasterKeyPath))
        {
            Make(options, isRingSealed);
        }

        return Read(options.MasterKeyPath, nameof(DataOptions.MasterKeyFile));
    }

    /// <summary>The master key in force before; null where the options name none.</summary>
    /// <param name="options">The options.</param>
    /// <exception cref="StartupException">It is not there, or is not one.</exception>
    public static MasterKey? LoadPrevious(DataOptions options) =>
        options.ConfiguredPreviousMasterKeyFile is { } path ? Read(path, nameof(DataOptions.PreviousMasterKeyFile)) : null;

    /// <summary>What is wrong with the keys that the options name; null where nothing is. Changes nothing.</summary>
    /// <param name="options">The options.</param>
    public static string? Problem(DataOptions options)
    {
        try
        {
            using var key = options.GivenMasterKey is { } text ? ParseText(text)
                : options.ConfiguredMasterKeyFile is { } path ? Read(path, nameof(DataOptions.MasterKeyFile))
                : null;
            using var previous = LoadPrevious(options);
            return null;
        }
        catch (StartupException e)
        {
            return e.Message;
        }
    }

    private static void Make(DataOptions options, bool isRingSealed)
    {
        var path = options.MasterKeyPath;
        if (isRingSealed)
        {
            throw new StartupException(
                $"the master key file '{path}' is missing, and the key ring in '{options.PathOf(KeyRing.Folder)}' is sealed: put the file back from a backup, or set Data:MasterKeyFile.");
        }

        var text = MasterKey.NewText();
        try
        {
            PrivateFile.Write(path, text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"the master key file '{path}' cannot be written: {SecretTextFile.Reason(e)}.", e);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(text);
        }
    }

    private static MasterKey Read(string path, string option) =>
        SecretTextFile.Read(path, "master key", $"put it there, or correct Data:{option}", MasterKey.Parse);

    private static MasterKey ParseText(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        try
        {
            return MasterKey.Parse(bytes) ?? throw new StartupException($"Data:MasterKey is not a master key: {SecretTextFile.Form}.");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }
}
