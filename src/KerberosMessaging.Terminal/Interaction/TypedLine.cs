namespace KerberosMessaging.Terminal.Interaction;

/// <summary>A line as it is typed, erased when disposed. The array is pinned, so that no copy of it stays behind.</summary>
internal sealed class TypedLine : IDisposable
{
    // More than any password may have, so that one that is too long is refused and not cut.
    private const int Capacity = 4096;

    private readonly char[] _characters = GC.AllocateArray<char>(Capacity, pinned: true);
    private int _length;

    public ReadOnlySpan<char> Characters => _characters.AsSpan(0, _length);

    public bool TryAdd(char character)
    {
        if (_length == Capacity)
        {
            return false;
        }

        _characters[_length++] = character;
        return true;
    }

    /// <summary>Removes the last character, and with it the other half of a surrogate pair.</summary>
    /// <returns>How many characters of the terminal that were.</returns>
    public int RemoveLast()
    {
        if (_length == 0)
        {
            return 0;
        }

        _characters[--_length] = default;
        if (_length > 0 && char.IsHighSurrogate(_characters[_length - 1]))
        {
            _characters[--_length] = default;
        }

        return 1;
    }

    public void Clear()
    {
        Array.Clear(_characters);
        _length = 0;
    }

    public void Dispose() => Clear();

    /// <summary>Never shows the content.</summary>
    public override string ToString() => "[redacted]";
}
