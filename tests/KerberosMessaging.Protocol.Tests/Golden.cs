namespace KerberosMessaging.Protocol.Tests;

/// <summary>
/// The payload of one message of each code, field by field in <c>Golden/CODE.hex</c>. The files were not made by the
/// code under test, and changing one changes the protocol.
/// </summary>
internal static class Golden
{
    public static bool Exists(MessageCode code) =>
        typeof(Golden).Assembly.GetManifestResourceInfo(FileName(code)) is not null;

    public static byte[] Payload(MessageCode code)
    {
        using var stream = typeof(Golden).Assembly.GetManifestResourceStream(FileName(code))
            ?? throw new FileNotFoundException($"There is no golden sample for {code}.", FileName(code));
        using var reader = new StreamReader(stream);
        return Hex.Parse(reader.ReadToEnd());
    }

    private static string FileName(MessageCode code) => $"{(ushort)code}.hex";
}
