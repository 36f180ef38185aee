import Logging
import NIOCore
import RedisClient
import ServiceKit

/// The Redis servers of a process and how they let it in.
struct RedisSettings: Sendable {
  static let usualTimeout = Duration.milliseconds(500)

  var addresses: [RedisAddress] = []
  var timeout = usualTimeout
  var access = StoreAccess()

  func client(
    of address: RedisAddress, name: String, on eventLoop: any EventLoop, logger: Logger
  ) -> RedisClient {
    RedisClient(
      configuration: configuration(address, clientName: name), eventLoopGroup: eventLoop,
      logger: logger)
  }

  private func configuration(_ address: RedisAddress, clientName: String) -> RedisConfiguration {
    var redis = RedisConfiguration(address: address)
    redis.clientName = clientName
    redis.credentials = access.password.map {
      RedisCredentials(username: access.username?.reveal, password: $0.reveal)
    }
    if address.usesTLS {
      var tls = RedisTLS()
      tls.authorityFile = access.authorityFile
      tls.certificateFile = access.certificateFile
      tls.keyFile = access.keyFile
      redis.tls = tls
    }
    return redis
  }

  /// For a sidecar that uses these servers.
  /// - Parameter option: under which it gets them.
  func sidecarAccess(_ option: String, _ addresses: [RedisAddress]) -> SidecarAccess {
    SidecarAccess(
      arguments: [option, Self.text(addresses)],
      secretArguments: ["--redis-credentials-directory", SidecarTemplate.secretPath],
      needsSecret: access.isNeeded(usesTLS: addresses.contains(where: \.usesTLS)),
      ports: Set(addresses.map(\.port)))
  }

  var timeoutArguments: [String] {
    timeout == Self.usualTimeout ? [] : ["--redis-timeout", timeout.text]
  }

  static func text(_ addresses: [RedisAddress]) -> String {
    addresses.map { address in
      let url = address.usesTLS ? "rediss://\(address)" : "\(address)"
      guard address.database != 0 else { return url }
      return "\(address.usesTLS ? "" : "redis://")\(url)/\(address.database)"
    }.joined(separator: ",")
  }
}
