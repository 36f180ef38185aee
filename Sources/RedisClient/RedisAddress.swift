/// Where a server is and, if the address was a URL, how to enter.
package struct RedisAddress: Sendable, Hashable {
  /// A DNS name or an IP address, without brackets.
  package var host: String
  package var port: Int
  /// `rediss://`
  package var usesTLS: Bool
  /// The path of a URL. Database 0 needs no `SELECT`.
  package var database: Int
  /// The user information of a URL.
  package var credentials: RedisCredentials?

  package static let defaultPort = 6379

  package init(
    host: String, port: Int = defaultPort, usesTLS: Bool = false, database: Int = 0,
    credentials: RedisCredentials? = nil
  ) {
    self.host = host
    self.port = port
    self.usesTLS = usesTLS
    self.database = database
    self.credentials = credentials
  }
}

extension RedisAddress: CustomStringConvertible, CustomDebugStringConvertible {
  /// `host:port`, an IPv6 address in brackets: fit for logs and labels, without credentials.
  package var description: String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }

  package var debugDescription: String { description }
}
