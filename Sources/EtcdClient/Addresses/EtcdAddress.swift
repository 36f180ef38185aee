/// Where a member of an etcd cluster serves clients.
package struct EtcdAddress: Sendable, Hashable {
  /// A DNS name or an IP address, without brackets.
  package var host: String
  package var port: Int
  /// `https://`
  package var usesTLS: Bool

  package static let defaultPort = 2379

  package init(host: String, port: Int = defaultPort, usesTLS: Bool = false) {
    self.host = host
    self.port = port
    self.usesTLS = usesTLS
  }
}

extension EtcdAddress: CustomStringConvertible {
  /// `host:port`, an IPv6 address in brackets.
  package var description: String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}
