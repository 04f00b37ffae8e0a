using KerberosMessaging.Hosting.Audit;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>One challenge that was given out. It counts as failed unless <see cref="Succeed"/> is called before it is disposed of.</summary>
internal sealed class LoginAttempt(LoginGuard guard, string name, string address, Origin origin) : IDisposable
{
    private int _isDecided;

    /// <summary>SHA-256 of the name, hexadecimal.</summary>
    internal string Name => name;

    /// <summary>The group of the address.</summary>
    internal string Address => address;

    internal Origin Origin => origin;

    /// <summary>The password was proven.</summary>
    public void Succeed()
    {
        if (Interlocked.Exchange(ref _isDecided, 1) == 0)
        {
            guard.Succeeded(this);
        }
    }

    /// <summary>It failed; returns when that is on disk, so that no restart makes it undone.</summary>
    public Task FailAsync(CancellationToken cancellationToken) => Interlocked.Exchange(ref _isDecided, 1) == 0
        ? guard.WriteAsync(guard.Failed(this), cancellationToken)
        : Task.CompletedTask;

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDecided, 1) == 0)
        {
            guard.Post(guard.Failed(this));
        }
    }
}
