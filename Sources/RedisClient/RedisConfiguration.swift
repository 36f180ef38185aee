package import RESP

/// How to reach one server and how much to ask of it at once.
package struct RedisConfiguration: Sendable {
  package var address: RedisAddress
  /// Secret. Used where the address brings none of its own.
  package var credentials: RedisCredentials?
  /// TLS with these files; nil for plain TCP, or for TLS with the system's authorities if the
  /// address says `rediss://`.
  package var tls: RedisTLS?
  /// Shown by `CLIENT LIST`. Characters other than printable ASCII without spaces are left out.
  package var clientName = "hippocampus"
  /// For name resolution, TCP, TLS and the greeting together.
  package var connectTimeout: Duration = .seconds(1)
  /// The first and the longest wait between connection attempts; jittered.
  package var reconnectDelays: ClosedRange<Duration> = .milliseconds(50) ... .seconds(2)
  /// A connection whose oldest command has waited so long for its reply is closed and replaced.
  package var stallLimit: Duration = .seconds(10)
  /// Commands without a reply, sent and unsent.
  package var maximumPendingCommands = 4096
  /// Bytes of the commands without a reply.
  package var maximumPendingBytes = 16 << 20
  /// What a reply may hold before the connection is given up.
  package var replyLimits: RESPLimits = .client

  package init(
    address: RedisAddress, credentials: RedisCredentials? = nil, tls: RedisTLS? = nil
  ) {
    self.address = address
    self.credentials = credentials
    self.tls = tls
  }

  var effectiveCredentials: RedisCredentials? { address.credentials ?? credentials }

  var effectiveTLS: RedisTLS? { tls ?? (address.usesTLS ? RedisTLS() : nil) }
}

/// Files and names for TLS. The files are read again at each connection attempt, so that
/// replaced certificates are picked up.
package struct RedisTLS: Sendable, Hashable {
  /// PEM: who may sign the server's certificate; nil for the system's authorities.
  package var authorityFile: String?
  /// PEM: the client's certificate chain, leaf first. Needs a key.
  package var certificateFile: String?
  /// PEM: the client's private key.
  package var keyFile: String?
  /// The DNS name that the server's certificate has to bear, if not the address's host.
  package var serverName: String?

  package init(
    authorityFile: String? = nil, certificateFile: String? = nil, keyFile: String? = nil,
    serverName: String? = nil
  ) {
    self.authorityFile = authorityFile
    self.certificateFile = certificateFile
    self.keyFile = keyFile
    self.serverName = serverName
  }
}
