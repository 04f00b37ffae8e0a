using KerberosMessaging.AuthServer.Domain;
using KerberosMessaging.Hosting.Wire;
using KerberosMessaging.Protocol;
using KerberosMessaging.Protocol.Messages;

namespace KerberosMessaging.AuthServer.Requests;

internal sealed class ListDevicesHandler(DeviceService devices) : IRequestHandler<ListDevicesRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        ListDevicesRequest request,
        WireConnection connection,
        CancellationToken cancellationToken)
    {
        var found = await devices.ListAsync(connection.Principal!.Client, cancellationToken);
        return HandlerReply.Of(new OwnDevices([.. found.Select(static device => new OwnDevice(
            new DeviceId(device.DeviceId), device.Name, (ulong)device.Serial, device.CreatedAt, device.LastSeenAt))]));
    }
}

internal sealed class RenameDeviceHandler(DeviceService devices) : IRequestHandler<RenameDeviceRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        RenameDeviceRequest request,
        WireConnection connection,
        CancellationToken cancellationToken) =>
        await devices.RenameAsync(
            connection.Principal!.Client, request.Device, request.Name, connection.ToOrigin(), cancellationToken)
            ? HandlerReply.Of(new Done())
            : HandlerReply.Refuse(ProtocolError.UnknownDevice);
}

internal sealed class LinkDeviceHandler(DeviceService devices) : IRequestHandler<LinkDeviceRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        LinkDeviceRequest request,
        WireConnection connection,
        CancellationToken cancellationToken) =>
        await devices.LinkAsync(
            connection.Principal!.Client, request.Device, request.Link, connection.ToOrigin(), cancellationToken) switch
        {
            null => HandlerReply.Of(new Done()),
            LinkRefusal.UnknownDevice => HandlerReply.Refuse(ProtocolError.UnknownDevice),
            _ => HandlerReply.Refuse(ProtocolError.DeviceRefused),
        };
}

internal sealed class RemoveDeviceHandler(DeviceService devices) : IRequestHandler<RemoveDeviceRequest>
{
    public async ValueTask<HandlerReply> HandleAsync(
        RemoveDeviceRequest request,
        WireConnection connection,
        CancellationToken cancellationToken)
    {
        var principal = connection.Principal!;
        var origin = connection.ToOrigin();
        var isOwn = request.Device == principal.Device;
        if (isOwn)
        {
            // Signed out before its session is cut: the answer can then still be sent.
            connection.SignOut();
        }

        return await devices.RemoveAsync(principal.Client, request.Device, "removed by its client", origin, cancellationToken)
            ? HandlerReply.Of(new Done())
            : HandlerReply.Refuse(ProtocolError.UnknownDevice);
    }
}
