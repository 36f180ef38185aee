package import Coordination
import FoundationEssentials
package import Logging
package import NIOCore
import RedisClient
import ServiceKit

/// Which store, and how to reach it.
package struct StoreConfiguration: Sendable {
  package enum Mode: String, CaseIterable, Sendable {
    case redlock
    case memory
  }

  package var mode = Mode.redlock
  var addresses: [RedisAddress] = []
  package var keyPrefix = ""
  package var nodeTimeout = Duration.milliseconds(500)
  var tls = RedisTLS()
  var username: Secret?
  var password: Secret?

  init() {}

  /// Takes what a mounted Secret holds; every file may be missing.
  mutating func read(directory: String, _ reader: inout OptionReader) {
    func path(_ name: String) -> String? {
      let path = "\(directory)/\(name)"
      return FileManager.default.fileExists(atPath: path) ? path : nil
    }
    guard FileManager.default.fileExists(atPath: directory) else {
      reader.reject(
        "redis-credentials-directory", value: directory, allowed: "a directory that exists")
      return
    }
    if let file = path("username") { username = reader.secret("redis-username", file: file) }
    if let file = path("password") { password = reader.secret("redis-password", file: file) }
    tls.authorityFile = path("ca.crt") ?? tls.authorityFile
    tls.certificateFile = path("tls.crt") ?? tls.certificateFile
    tls.keyFile = path("tls.key") ?? tls.keyFile
  }

  /// The store. Its `run()` must run before it can answer.
  package func makeStore(
    clientName: String, eventLoopGroup: any EventLoopGroup, time: any MonotonicTime = SystemTime(),
    logger: Logger
  ) -> any LockStore {
    guard mode == .redlock else { return MemoryLockStore(time: time) }
    let servers = addresses.map { redis($0, clientName: clientName) }
    let lanes = eventLoopGroup.makeIterator().map { eventLoop in
      RedlockStore.Lane(
        eventLoop: eventLoop,
        clients: servers.map {
          RedisClient(configuration: $0, eventLoopGroup: eventLoop, logger: logger)
        })
    }
    var configuration = RedlockStore.Configuration()
    configuration.keyPrefix = keyPrefix
    configuration.nodeTimeout = nodeTimeout
    return RedlockStore(
      lanes: Array(lanes), configuration: configuration, time: time, logger: logger)
  }

  private func redis(_ address: RedisAddress, clientName: String) -> RedisConfiguration {
    var redis = RedisConfiguration(address: address)
    redis.clientName = clientName
    redis.credentials = password.map {
      RedisCredentials(username: username?.reveal, password: $0.reveal)
    }
    if address.usesTLS { redis.tls = tls }
    return redis
  }

  /// The command line by which a sidecar finds the same store. No secrets.
  var sidecarArguments: [String] {
    var arguments = ["--lock-mode", mode.rawValue]
    if mode == .redlock { arguments += ["--redis-addresses", addressList] }
    if !keyPrefix.isEmpty { arguments.append("--key-prefix=\(keyPrefix)") }
    if nodeTimeout != .milliseconds(500) { arguments += ["--redis-timeout", nodeTimeout.text] }
    return arguments
  }

  /// Whether a sidecar needs more than its command line to be let in.
  var needsSecret: Bool {
    mode == .redlock
      && (password != nil || tls.certificateFile != nil
        || (tls.authorityFile != nil && addresses.contains(where: \.usesTLS)))
  }

  var ports: [Int] { mode == .redlock ? Set(addresses.map(\.port)).sorted() : [] }

  /// Says at start what will not work later.
  package func warn(_ logger: Logger) {
    if isLoopback {
      logger.warning(
        "store addresses on the loopback interface: injected sidecars cannot reach them",
        metadata: ["addresses": "\(addressList)"])
    }
    if mode == .memory {
      logger.warning("locks live in this process only: sidecars do not share them")
    }
  }

  /// Whether an injected sidecar, in a Pod of its own, could not reach the store.
  private var isLoopback: Bool {
    mode == .redlock
      && addresses.contains {
        $0.host == "localhost" || $0.host == "::1" || $0.host.hasPrefix("127.")
      }
  }

  private var addressList: String {
    addresses.map { address in
      let url = address.usesTLS ? "rediss://\(address)" : "\(address)"
      guard address.database != 0 else { return url }
      return "\(address.usesTLS ? "" : "redis://")\(url)/\(address.database)"
    }.joined(separator: ",")
  }
}
