namespace KerberosMessaging.AuthServer.Persistence;

/// <summary>A column that a list can be sorted by: it is never null and has an index, whose ties the identifier breaks.</summary>
/// <typeparam name="TRow">What is listed.</typeparam>
/// <param name="Name">What requests call it.</param>
/// <param name="Column">The column.</param>
/// <param name="Index">Its index.</param>
/// <param name="Value">A row's value: a <see cref="DateTimeOffset"/>, or a text.</param>
/// <param name="IsText">Whether it is a text.</param>
internal sealed record SortColumn<TRow>(string Name, string Column, string Index, Func<TRow, object> Value, bool IsText = false);
