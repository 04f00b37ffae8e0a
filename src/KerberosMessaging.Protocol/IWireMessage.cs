namespace KerberosMessaging.Protocol;

/// <summary>A message that can be written as the payload of one frame.</summary>
public interface IWireMessage
{
    /// <summary>The code that the frame header carries for this message.</summary>
    MessageCode FrameCode { get; }

    /// <summary>Writes the fields, in order.</summary>
    /// <param name="writer">Where they go.</param>
    void Write(WireWriter writer);
}

/// <summary>A message that can also be read back.</summary>
/// <typeparam name="TSelf">The message itself.</typeparam>
public interface IWireMessage<TSelf> : IWireMessage
    where TSelf : IWireMessage<TSelf>
{
    /// <summary>The code that stands for this message.</summary>
    static abstract MessageCode Code { get; }

    /// <summary>Reads the fields; the caller checks that nothing is left over (<see cref="WireReader.ExpectEnd"/>).</summary>
    /// <param name="reader">Positioned at the first field.</param>
    /// <exception cref="ProtocolException">The payload does not follow the format.</exception>
    static abstract TSelf Read(ref WireReader reader);

    MessageCode IWireMessage.FrameCode => TSelf.Code;
}
