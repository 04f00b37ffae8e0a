using System.Reflection;
using System.Runtime.CompilerServices;
using KerberosMessaging.Cryptography;

namespace KerberosMessaging.EndToEnd.Tests;

/// <summary>No secret is printed by mistake: not by a log of an object, and not by an exception.</summary>
public sealed class RedactionTests
{
    // What holds key material itself: all that overrides ToString in Cryptography for this reason.
    private static readonly HashSet<Type> Secrets =
    [
        typeof(SecretBytes), typeof(X25519PrivateKey), typeof(Ed25519PrivateKey), typeof(MlKem768PrivateKey), typeof(AuthenticatedCbc),
    ];

    private static readonly Type[] Types =
    [
        .. typeof(PeerSessions).Assembly.GetTypes()
            .Where(type => type is { IsInterface: false, IsEnum: false } && type.GetCustomAttribute<CompilerGeneratedAttribute>() is null),
    ];

    public static readonly TheoryData<string> Holders = [.. Types.Where(HoldsSecrets).Select(type => type.FullName!)];

    [Theory]
    [MemberData(nameof(Holders))]
    public void What_holds_secrets_prints_nothing_of_them(string name)
    {
        var type = typeof(PeerSessions).Assembly.GetType(name)!;
        var print = type.GetMethod(nameof(ToString), BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly, []);
        Assert.NotNull(print);
        if (!type.IsByRefLike)
        {
            Assert.Equal("[redacted]", RuntimeHelpers.GetUninitializedObject(type).ToString());
        }
    }

    [Fact]
    public void The_holders_of_secrets_are_found()
    {
        Type[] known =
        [
            typeof(DeviceIdentity), typeof(DevicePrekeys), typeof(PeerSessions), typeof(LinkCode), typeof(Session), typeof(DoubleRatchet),
            typeof(SendingChain), typeof(ReceivingChain), typeof(SkippedKey), typeof(HeaderKey), typeof(ChainWalk), typeof(RootStep),
            typeof(PqxdhAgreement), typeof(PrekeyPair), typeof(OneTimePrekeys), typeof(PrekeySecrets),
        ];
        Assert.All(known, type => Assert.True(HoldsSecrets(type), type.Name));
        Assert.False(HoldsSecrets(typeof(PrekeyBundle)));
        Assert.False(HoldsSecrets(typeof(PublicDeviceIdentity)));
    }

    [Fact]
    public void A_reference_to_secrets_prints_nothing_of_them()
    {
        using var secret = new SecretBytes(32);
        Assert.Equal("[redacted]", new PrekeySecrets(secret, null, secret).ToString());
    }

    [Fact]
    public void Exceptions_say_always_the_same_whatever_the_secrets_are()
    {
        using var one = new Device();
        using var two = new Device();
        Assert.Equal(Texts(one), Texts(two));

        static List<string> Texts(Device device)
        {
            device.Prekeys.AddOneTime(1, 1);
            using var peer = new Device(device.Clock);
            using var identity = device.Identity.Export();
            var exported = identity.Span.ToArray();
            var texts = new List<string>();
            void Expect<T>(Action action)
                where T : Exception => texts.Add(Assert.Throws<T>(action).Message);
            Expect<EndToEndException>(() => DeviceIdentity.Import(exported.AsSpan(0, 40)));
            Expect<EndToEndException>(() => DevicePrekeys.Import(device.PrekeyState().AsSpan(0, 1500)));
            Expect<EndToEndException>(() => PeerSessions.Import([9, .. device.State()]));
            Expect<EndToEndException>(() => device.Prekeys.Rotate(peer.Identity, device.Now));
            Expect<EndToEndException>(() => device.Start(device));
            Expect<EndToEndException>(() => device.Start(peer, new OneTimePublicPrekey(0, new byte[32])));
            Expect<EndToEndException>(() => device.Start(peer, null, new OneTimePublicPrekey(1, new byte[32])));
            Expect<InvalidOperationException>(() => device.Send("secret"));
            Expect<ArgumentException>(() => device.Send("secret", new byte[15]));
            Expect<ArgumentException>(() => SafetyNumber.Compute(exported, exported, exported, exported));
            Expect<ArgumentException>(() => SafetyNumber.Format(Convert.ToHexString(exported)));
            Expect<ArgumentException>(() => _ = new PublicDeviceIdentity(exported, exported));
            Assert.All(texts, text => Assert.DoesNotMatch("[0-9A-Fa-f]{16}", text));
            return texts;
        }
    }

    [Fact]
    public void The_exception_carries_what_it_is_given()
    {
        var cause = new InvalidOperationException("cause");
        Assert.Equal("text", new EndToEndException("text").Message);
        Assert.Same(cause, new EndToEndException("text", cause).InnerException);
        Assert.Null(new EndToEndException().InnerException);
    }

    private static bool HoldsSecrets(Type type) => HoldsSecrets(type, []);

    private static bool HoldsSecrets(Type type, HashSet<Type> seen) =>
        seen.Add(type)
        && type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
            .SelectMany(field => Parts(field.FieldType))
            .Any(part => Secrets.Contains(part) || (part.Assembly == typeof(PeerSessions).Assembly && HoldsSecrets(part, seen)));

    private static IEnumerable<Type> Parts(Type type) =>
        type.IsGenericType ? [type, .. type.GetGenericArguments().SelectMany(Parts)]
        : type.HasElementType ? Parts(type.GetElementType()!)
        : [type];
}
