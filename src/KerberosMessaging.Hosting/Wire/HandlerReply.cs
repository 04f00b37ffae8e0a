using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.Hosting.Wire;

/// <summary>What a handler answers.</summary>
public readonly struct HandlerReply
{
    private HandlerReply(IWireMessage message, SecretBytes? mixKey, Action? afterwards = null) =>
        (Message, MixKey, Afterwards) = (message, mixKey, afterwards);

    /// <summary>The reply.</summary>
    public IWireMessage Message { get; }

    /// <summary>A key that both directions mix in right after the reply (AP exchange).</summary>
    internal SecretBytes? MixKey { get; }

    /// <summary>What is done once the reply has its place among all that is sent.</summary>
    internal Action? Afterwards { get; }

    /// <summary>An ordinary reply.</summary>
    /// <param name="message">The reply.</param>
    public static HandlerReply Of(IWireMessage message) => new(message, null);

    /// <summary>A reply after which both directions mix in a key; the connection disposes of it.</summary>
    /// <param name="message">The reply.</param>
    /// <param name="key">The key.</param>
    public static HandlerReply ThenMix(IWireMessage message, SecretBytes key) => new(message, key);

    /// <summary>A reply after which pushes begin: they are sent after it.</summary>
    /// <param name="message">The reply.</param>
    /// <param name="afterwards">Starts them; must neither throw nor wait.</param>
    public static HandlerReply Then(IWireMessage message, Action afterwards) => new(message, null, afterwards);

    /// <summary>An error frame that leaves the connection open.</summary>
    /// <param name="error">A code of 100 or above.</param>
    /// <param name="retryAfter">When a retry makes sense; zero for no advice.</param>
    public static HandlerReply Refuse(ProtocolError error, TimeSpan retryAfter = default) =>
        new(new ErrorReply(error, (uint)retryAfter.TotalMilliseconds), null);
}
