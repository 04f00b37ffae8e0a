namespace KerberosMessaging.Hosting.Backup;

/// <summary>What a backup needs to know of a server's data: its database, and the files that the database names.</summary>
public abstract class ServerData
{
    /// <summary>Whose data it is, such as <c>auth server</c>: nothing of another server is restored in its place.</summary>
    public abstract string Kind { get; }

    /// <summary>The database's name in the data folder.</summary>
    public abstract string Database { get; }

    /// <summary>The name in the data folder of the file that a running server holds locked.</summary>
    public abstract string LockFile { get; }

    /// <summary>The names of the migrations that this version knows: a database that has seen others is of a newer version.</summary>
    public abstract IReadOnlyCollection<string> Migrations { get; }

    /// <summary>
    /// Copies the database as it is at one moment, while a server may use it, and marks the copy as one: what starts on it knows that it is put
    /// back to an earlier state.
    /// </summary>
    /// <param name="source">The database.</param>
    /// <param name="copy">A file that does not exist yet.</param>
    /// <param name="madeAt">What to note as the time of the copy.</param>
    /// <returns>The newest migration that it has seen.</returns>
    public abstract string Copy(string source, string copy, DateTimeOffset madeAt);

    /// <summary>The files that a copy of the database names, as paths in the data folder with <c>/</c>.</summary>
    /// <param name="copy">The copy.</param>
    public virtual IEnumerable<string> FilesOf(string copy) => [];

    /// <summary>Has a copy of the database name some files no more: they were removed after it was made.</summary>
    /// <param name="copy">The copy.</param>
    /// <param name="files">Paths as of <see cref="FilesOf"/>.</param>
    public virtual void Forget(string copy, IReadOnlyCollection<string> files)
    {
    }
}
