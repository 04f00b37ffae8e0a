using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;
using Microsoft.Extensions.DependencyInjection;

namespace KerberosMessaging.Hosting.Startup;

/// <summary>
/// Opens what <see cref="MasterKeyXmlEncryptor"/> sealed. Data Protection makes it by the name of its type, which stands
/// in every key file: that name must not change.
/// </summary>
internal sealed class MasterKeyXmlDecryptor : IXmlDecryptor
{
    private readonly MasterKey _key;

    public MasterKeyXmlDecryptor(IServiceProvider services) => _key = services.GetRequiredService<MasterKey>();

    public XElement Decrypt(XElement encryptedElement) => MasterKeyXml.Open(_key, encryptedElement);
}
