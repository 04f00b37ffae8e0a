using CsCheck;

namespace KerberosMessaging.AuthServer.Tests.Domain;

/// <summary>Texts of a few characters from one alphabet, chosen for what is hard about it: most are names.</summary>
internal static class ScriptSample
{
    private static readonly string[] Alphabets =
    [
        "abdehijlmnorsuwzABDEHIJLMNORSUWZ01._-",
        "sSßẞiIİıjJlLðÐđĐøæœəƏǎăşșçñ\u0301\u0307\u0308\u0323",
        "авгзиклмнопрстхуьяїАВГЗИКЛМНОПРСТХУЬЯЇіӏӀ01",
        "αβγεηθικνορσςτυχΑΒΓΕΗΘΙΚΝΟΡΣΤΥΧᾳᾼῷΐ\u0301\u0345",
        "աահձյնոռսցքօԱՀՁՅՆՈՌՍՑՔՕև",
        "ニ二ロ口エ工一ー太郎たろうぱばxyz",
        "אבגד1.-",
    ];

    public static Gen<string> Names { get; } =
        Gen.OneOf([.. Alphabets.Select(static letters => (IGen<string>)Gen.String[Gen.Char[letters], 1, 8])]);
}
