package import NIOCore
package import RedisClient
package import ServiceKit

/// What a proxy does, as its options say.
package struct ProxyConfiguration: Sendable {
  /// A group of networks and its name, a zone for example.
  package struct Topology: Sendable, Hashable {
    package var name: String
    package var range: AddressRange
  }

  package var localAddress = ListenAddress.tcp(host: "127.0.0.1", port: 16379)
  /// At least one. Where there are several, or a name stands for several, the one whose role is
  /// master is used.
  package var primary: [RedisAddress]
  /// Empty: the primary.
  package var reader: [RedisAddress] = []
  /// Whether reads go to the reader's address.
  package var splitsReads = false
  /// For a connection, name resolution, TLS and greeting included, and for clients to wait for one.
  package var connectTimeout = TimeAmount.seconds(10)
  /// Clients at one time.
  package var maximumConnections = 10_000
  /// Connections per kind and event loop that wait to become some client's own.
  package var maximumIdleConnections = 64
  package var minimumIdleConnections = 0
  package var maximumIdleTime = TimeAmount.minutes(5)
  /// Nil: for ever.
  package var maximumLifetime: TimeAmount?
  /// The share by which lifetimes differ, so that connections do not all end at once.
  package var jitter = 0.1
  package var topologies: [Topology] = []
  /// The topology of this address is near. Nil: none is.
  package var ownAddress: SocketAddress?
  /// How long after a write a client's reads go to the primary.
  package var readYourWrites = TimeAmount.zero
  /// Secret. For clients that do not log in themselves.
  package var credentials: RedisCredentials?
  /// Nil: no TLS to the servers.
  package var remoteTLS: RedisTLS?
  /// A directory with `tls.crt` and `tls.key`; nil: no TLS for clients.
  package var localCertificates: String?
  /// Nil: clients need no certificate.
  package var localAuthorities: String?
  /// How many threads.
  package var eventLoops = 1

  package init(primary: [RedisAddress]) { self.primary = primary }

  func addresses(_ role: UpstreamRole) -> [RedisAddress] {
    role == .reader && !reader.isEmpty ? reader : primary
  }

  /// The networks of this Pod's topology.
  var nearRanges: [AddressRange] {
    guard let ownAddress,
      let name = topologies.first(where: { $0.range.contains(ownAddress) })?.name
    else { return [] }
    return topologies.filter { $0.name == name }.map(\.range)
  }
}
