using KerberosMessaging.Protocol;

namespace KerberosMessaging.Hosting.Audit;

/// <summary>Who caused something, for the audit log.</summary>
/// <param name="Actor">The kind of actor, and its id or name.</param>
/// <param name="Address">Its IP address; empty for the server itself.</param>
/// <param name="Correlation">Joins what happened in one connection or one admin request.</param>
public readonly record struct Origin(string Actor, string Address, string Correlation)
{
    /// <summary>The server itself.</summary>
    public static Origin System { get; } = new("system", "", "");

    /// <summary>Somebody who has not proved who it is.</summary>
    /// <param name="address">Its IP address.</param>
    /// <param name="correlation">The connection's id.</param>
    public static Origin Anonymous(string address, string correlation) => new("anonymous", address, correlation);

    /// <summary>The same, once it has proved to be a client.</summary>
    /// <param name="client">The client.</param>
    public Origin As(ClientId client) => this with { Actor = $"client {client.Value}" };

    /// <summary>The same, once it has proved to be a message server.</summary>
    /// <param name="server">The server.</param>
    public Origin As(ServerId server) => this with { Actor = $"server {server.Value}" };
}
