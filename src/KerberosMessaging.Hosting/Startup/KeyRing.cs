using System.Security.Cryptography;
using System.Xml;
using System.Xml.Linq;

namespace KerberosMessaging.Hosting.Startup;

/// <summary>
/// The files of the Data Protection key ring, before it is used. Data Protection keeps a key as XML in which each secret
/// element is replaced by an <c>encryptedSecret</c> element around what <see cref="MasterKeyXmlEncryptor"/> made of it.
/// </summary>
internal sealed class KeyRing
{
    /// <summary>The folder below the data folder.</summary>
    public const string Folder = "keys";

    private const string CheckFile = "master-key.check";
    private const string LockFile = "master-key.lock";

    private static readonly XNamespace DataProtection = "http://schemas.asp.net/2015/03/dataProtection";
    private static readonly XName EncryptedSecret = DataProtection + "encryptedSecret";
    private static readonly XName DecryptorType = "decryptorType";
    private static readonly XName RequiresEncryption = DataProtection + "requiresEncryption";

    private readonly string _folder;
    private readonly List<(string Path, XElement Root)> _files;

    private KeyRing(string folder)
    {
        _folder = folder;
        _files = [.. Directory.EnumerateFiles(folder, "*.xml").Order(StringComparer.Ordinal).Select(static path => (path, Load(path)))];
    }

    private static ReadOnlySpan<byte> CheckText => "kmsg/25 master key"u8;

    private static ReadOnlySpan<byte> CheckPurpose => "kmsg/25 master key check"u8;

    /// <summary>Whether a file of the folder belongs to the ring, and is none that is just being written.</summary>
    public static bool IsPart(string path) => Path.GetExtension(path) == ".xml" || Path.GetFileName(path) == CheckFile;

    private string CheckPath => Path.Combine(_folder, CheckFile);

    private bool IsSealed => File.Exists(CheckPath) || _files.Any(static file => SealedSecrets(file.Root).Any());

    /// <summary>
    /// Finds the master key, makes sure that it is the right one, and seals under it what is not: keys sealed under the
    /// previous master key, and keys that were made before there was one.
    /// </summary>
    /// <param name="options">Where the ring and the keys are.</param>
    /// <returns>The master key; the caller disposes of it.</returns>
    /// <exception cref="StartupException">There is no master key, or it is not this ring's.</exception>
    public static MasterKey Unlock(DataOptions options)
    {
        var folder = options.PathOf(Folder);
        using var turn = DataFolderLock.Take(options.PathOf(LockFile));
        try
        {
            var ring = new KeyRing(folder);
            var key = MasterKeySource.Load(options, ring.IsSealed);
            try
            {
                using var previous = MasterKeySource.LoadPrevious(options);
                ring.SealUnder(key, previous);
                return key;
            }
            catch
            {
                key.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"the key ring in '{folder}' cannot be read or written: {e.Message}", e);
        }
    }

    // The check comes last: until it is there, all that opens under either key is taken for a change that was broken off.
    private void SealUnder(MasterKey key, MasterKey? previous)
    {
        var check = File.Exists(CheckPath) ? File.ReadAllBytes(CheckPath) : null;
        var isChecked = check is not null && key.Open(check, CheckPurpose) is not null;
        if (check is not null && !isChecked && previous?.Open(check, CheckPurpose) is null)
        {
            throw WrongKey(CheckPath, previous);
        }

        // All are opened before the first is changed: a wrong key changes nothing.
        var changed = _files.Where(file => Reseal(file.Path, file.Root, key, previous)).ToList();
        foreach (var (path, root) in changed)
        {
            using var content = new MemoryStream();
            root.Save(content);
            PrivateFile.Write(path, content.GetBuffer().AsSpan(0, (int)content.Length));
        }

        if (!isChecked)
        {
            PrivateFile.Write(CheckPath, key.Seal(CheckText, CheckPurpose));
        }
    }

    private static bool Reseal(string path, XElement root, MasterKey key, MasterKey? previous)
    {
        var isChanged = false;
        foreach (var sealedSecret in SealedSecrets(root).ToList())
        {
            var bytes = MasterKeyXml.Bytes(sealedSecret);
            if (key.Open(bytes, MasterKeyXml.Purpose) is { } opened)
            {
                CryptographicOperations.ZeroMemory(opened);
                continue;
            }

            var secret = previous?.Open(bytes, MasterKeyXml.Purpose) ?? throw WrongKey(path, previous);
            sealedSecret.ReplaceWith(MasterKeyXml.Seal(key, secret));
            CryptographicOperations.ZeroMemory(secret);
            isChanged = true;
        }

        foreach (var secret in root.Descendants().Where(static element => (string?)element.Attribute(RequiresEncryption) == "true").ToList())
        {
            secret.ReplaceWith(new XElement(
                EncryptedSecret,
                new XAttribute(DecryptorType, typeof(MasterKeyXmlDecryptor).AssemblyQualifiedName!),
                MasterKeyXml.Seal(key, secret)));
            isChanged = true;
        }

        return isChanged;
    }

    private static IEnumerable<XElement> SealedSecrets(XElement root) =>
        root.Descendants(EncryptedSecret).Elements(MasterKeyXml.ElementName);

    private static XElement Load(string path)
    {
        try
        {
            return XElement.Load(path);
        }
        catch (XmlException e)
        {
            throw new StartupException($"the key file '{path}' is damaged: put it back from a backup.", e);
        }
    }

    private static StartupException WrongKey(string path, MasterKey? previous) => new(
        previous is null
            ? $"the master key is not the one that '{path}' was sealed under: configure that one, or name it in Data:PreviousMasterKeyFile to change to this one."
            : $"neither the master key nor the previous one opens '{path}': configure the one that it was sealed under.");
}
