import EtcdClient
import Logging
import RedisClient

extension RedisSettings {
  /// Says at start what will not work later.
  func warn(of addresses: [RedisAddress], _ logger: Logger) {
    let warnings = StoreWarnings(text: Self.text(addresses), logger: logger)
    if addresses.contains(where: \.host.isLoopbackHost) { warnings.ofLoopback() }
    if access.hasTLSFiles, !addresses.contains(where: \.usesTLS) {
      warnings.ofPlainText(scheme: "rediss")
    }
  }
}

extension EtcdSettings {
  /// Says at start what will not work later.
  func warn(_ logger: Logger) {
    let warnings = StoreWarnings(text: text, logger: logger)
    if addresses.contains(where: \.host.isLoopbackHost) { warnings.ofLoopback() }
    if access.hasTLSFiles, !addresses.contains(where: \.usesTLS) {
      warnings.ofPlainText(scheme: "https")
    }
  }
}

/// What is told about the addresses of a store at start.
private struct StoreWarnings {
  let text: String
  let logger: Logger

  func ofLoopback() {
    logger.warning(
      "store addresses on the loopback interface: injected sidecars cannot reach them",
      metadata: ["addresses": "\(text)"])
  }

  func ofPlainText(scheme: String) {
    logger.warning(
      "files for TLS are given, but no store address asks for TLS: they are not used",
      metadata: ["addresses": "\(text)", "allowed": "\(scheme)://host:port"])
  }
}

extension String {
  /// Whether a host is this machine only, where an injected sidecar cannot reach it.
  fileprivate var isLoopbackHost: Bool {
    self == "localhost" || self == "::1" || hasPrefix("127.")
  }
}
