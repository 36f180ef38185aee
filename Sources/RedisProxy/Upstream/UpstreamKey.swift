import RESP
import RedisClient

/// Which of the real servers a connection goes to.
enum UpstreamRole: Int, Hashable, Sendable, CaseIterable {
  case primary, reader

  /// For labels and messages.
  var name: String { self == .primary ? "primary" : "replica" }
}

/// Whose connection it is: clients of different users never share one.
enum ClientIdentity: Hashable, Sendable {
  /// As the proxy is configured to log in, if at all.
  case proxy
  /// As a client logged in. Secret.
  case client(RedisCredentials)
}

/// What clients have to have in common to share connections.
struct UpstreamKey: Hashable, Sendable {
  var role: UpstreamRole
  var identity = ClientIdentity.proxy
  var version = RESPVersion.two
  var database = 0
}

/// Why there is no connection.
enum UpstreamFailure: Error, Hashable, Sendable {
  /// The server's own error, its code in front.
  case refused(String)
  /// What happened, for people.
  case unreachable(String)
}
