using KerberosMessaging.Protocol;

namespace KerberosMessaging.AuthServer.Domain;

/// <summary>Who caused something, for the audit log.</summary>
/// <param name="Actor">The kind of actor, and its id or name.</param>
/// <param name="Address">Its IP address; empty for the server itself.</param>
/// <param name="Correlation">Joins what happened in one connection or one admin request.</param>
internal readonly record struct Origin(string Actor, string Address, string Correlation)
{
    public static Origin System { get; } = new("system", "", "");

    public static Origin Anonymous(string address, string correlation) => new("anonymous", address, correlation);

    public Origin As(ClientId client) => this with { Actor = $"client {client.Value}" };

    public Origin As(ServerId server) => this with { Actor = $"server {server.Value}" };
}
