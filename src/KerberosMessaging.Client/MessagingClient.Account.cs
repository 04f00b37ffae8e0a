using KerberosMessaging.Client.Accounts;
using KerberosMessaging.Client.Connections;
using KerberosMessaging.Client.Conversations;
using KerberosMessaging.Client.Store;
using KerberosMessaging.Cryptography;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;
using Microsoft.Extensions.Logging;

namespace KerberosMessaging.Client;

public sealed partial class MessagingClient
{
    /// <summary>Registers a client. The password never leaves this process in any form that it could be tried on.</summary>
    /// <param name="realm">The pinned realm.</param>
    /// <param name="name">The wished name.</param>
    /// <param name="password">The password, from <see cref="Password"/>.</param>
    /// <param name="options">The options; of these only the time limit matters here.</param>
    /// <param name="token">An invite, for realms that ask for one; at most 128 bytes.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="MessagingException">It was refused, or the realm cannot be reached or trusted.</exception>
    public static async Task<ClientId> RegisterAsync(
        RealmPin realm,
        string name,
        SecretBytes password,
        MessagingOptions options,
        string token = "",
        CancellationToken cancellationToken = default)
    {
        ClientNames.Check(name);
        Registration.CheckToken(token);
        return await Retry.OnceAsync(
            options,
            limited => OnChannelAsync(
                realm, connection => Registration.RunAsync(connection, name, token, password, limited), limited),
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Sets a new password with a token from the realm's administrator, for who has lost the old one. All sessions of the client
    /// end and all of its devices are removed: the next login makes a new device, which contacts see as a changed identity. The
    /// local store, which only the old password opens, is renamed to <c>NAME.before-reset-yyyyMMddTHHmmss</c>.
    /// </summary>
    /// <param name="realm">The pinned realm.</param>
    /// <param name="name">The client's name.</param>
    /// <param name="token">The reset token.</param>
    /// <param name="newPassword">The new password, from <see cref="Password"/>.</param>
    /// <param name="options">The options, as for the next login.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Where the old store is now; null where there was none.</returns>
    /// <exception cref="MessagingException">It was refused, the realm cannot be reached or trusted, or the store is in use.</exception>
    public static async Task<string?> ResetPasswordAsync(
        RealmPin realm,
        string name,
        string token,
        SecretBytes newPassword,
        MessagingOptions options,
        CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(token);

        // Before the token is spent.
        FormerStore.Settle(options.StorePath);
        await RegisterAsync(realm, name, newPassword, options, token, cancellationToken).ConfigureAwait(false);
        try
        {
            return FormerStore.SetAside(options.StorePath, options.Time.GetUtcNow());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MessagingException(
                MessagingFailure.StoreUnusable,
                $"the password is reset, but the old local store '{options.StorePath}' could not be renamed: move it away before the next login",
                e);
        }
    }

    /// <summary>
    /// Changes the password. The store of this device is sealed anew; other devices open theirs with the new password at their
    /// next login. A store that is sealed under a key file stays as it is.
    /// </summary>
    /// <param name="current">The current password, from <see cref="Password"/>.</param>
    /// <param name="replacement">The new password, from <see cref="Password"/>.</param>
    /// <param name="endOtherSessions">Whether all other sessions of the client end, so that its other devices must log in again.</param>
    /// <param name="cancellationToken">Ends the wait; the password may be changed all the same.</param>
    /// <exception cref="MessagingException">It was refused, or it is not known whether it was done: then the message says so.</exception>
    public Task ChangePasswordAsync(
        SecretBytes current, SecretBytes replacement, bool endOtherSessions = true, CancellationToken cancellationToken = default) =>
        new RecordChange(_auth, _store, _options).RunAsync(current, replacement, endOtherSessions, checkLength: true, cancellationToken);

    /// <summary>The client's devices, oldest first.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="MessagingException">There is no login, or the realm cannot be reached.</exception>
    public async Task<IReadOnlyList<DeviceInfo>> ListDevicesAsync(CancellationToken cancellationToken = default)
    {
        var own = await RequestAsync<OwnDevices>(new ListDevicesRequest(), cancellationToken).ConfigureAwait(false);
        var self = await Retry.RunAsync(
            _options, token => _contacts.LookUpAsync(Name, token), cancellationToken).ConfigureAwait(false);
        return [.. own.Devices
            .OrderBy(static device => device.Serial)
            .Select(device => new DeviceInfo(
                device.Device, device.Name, device.AddedAt, device.LastSeenAt, device.Device == Device, StandingOf(device.Device, self)))];
    }

    /// <summary>Gives one of the client's devices another name.</summary>
    /// <param name="device">The device.</param>
    /// <param name="name">1 to 64 bytes of UTF-8.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="MessagingException">There is no such device, or the realm cannot be reached.</exception>
    public Task RenameDeviceAsync(DeviceId device, string name, CancellationToken cancellationToken = default) =>
        RequestAsync<Done>(new RenameDeviceRequest(device, ClientNames.Check(name)), cancellationToken);

    /// <summary>
    /// Removes one of the client's devices for good: its sessions end, and its keys are refused from now on. Removing this device
    /// logs it out.
    /// </summary>
    /// <param name="device">The device.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="MessagingException">There is no such device, or the realm cannot be reached.</exception>
    public async Task RemoveDeviceAsync(DeviceId device, CancellationToken cancellationToken = default)
    {
        await RequestAsync<Done>(new RemoveDeviceRequest(device), cancellationToken).ConfigureAwait(false);
        if (device == Device)
        {
            await ForgetLoginAsync().ConfigureAwait(false);
        }
    }

    // A device that was added between the two questions is not in the answer to one of them, so nobody vouched for it yet.
    private DeviceStanding StandingOf(DeviceId device, Peer self) =>
        device == Device ? (IsLinked ? DeviceStanding.Linked : DeviceStanding.Unlinked)
        : self.Devices.FirstOrDefault(known => known.Device == device)?.Standing ?? DeviceStanding.Unlinked;

    /// <summary>Makes a new record for the same password, as the realm asked; where that fails it asks again at the next login.</summary>
    private async Task RenewRecordAsync(SecretBytes password, CancellationToken cancellationToken)
    {
        try
        {
            await new RecordChange(_auth, _store, _options)
                .RunAsync(password, password, endOtherSessions: false, checkLength: false, cancellationToken).ConfigureAwait(false);
        }
        catch (MessagingException e)
        {
            Log.RecordNotRenewed(Logger, e.Failure);
        }
    }

    private Task<TReply> RequestAsync<TReply>(IWireMessage request, CancellationToken cancellationToken)
        where TReply : IWireMessage<TReply> => Retry.RunAsync(
            _options, token => _auth.RequestAsync<TReply>(request, token), cancellationToken);

    private static partial class Log
    {
        [LoggerMessage(4201, LogLevel.Warning, "The realm asked for a new record of the password, and it was not made: {Failure}.")]
        public static partial void RecordNotRenewed(ILogger logger, MessagingFailure failure);

        [LoggerMessage(4202, LogLevel.Information, "What follows from received messages could not be done now: {Failure}.")]
        public static partial void Unfinished(ILogger logger, MessagingFailure failure);

        [LoggerMessage(4203, LogLevel.Information, "A sender could not be looked up: {Failure}.")]
        public static partial void NotLookedUp(ILogger logger, MessagingFailure failure);
    }
}
