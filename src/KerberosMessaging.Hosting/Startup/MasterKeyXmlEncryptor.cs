using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;

namespace KerberosMessaging.Hosting.Startup;

/// <summary>Seals the secret elements of the keys that Data Protection makes.</summary>
internal sealed class MasterKeyXmlEncryptor(MasterKey key) : IXmlEncryptor
{
    public EncryptedXmlInfo Encrypt(XElement plaintextElement) =>
        new(MasterKeyXml.Seal(key, plaintextElement), typeof(MasterKeyXmlDecryptor));
}
