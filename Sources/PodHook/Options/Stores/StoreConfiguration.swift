package import Coordination
import EtcdClient
package import Logging
package import NIOCore
import RedisClient
import ServiceKit

/// Where the locks live, and how to reach that.
package struct StoreConfiguration: Sendable {
  package enum Mode: String, CaseIterable, Sendable {
    case redlock
    case etcd
    case memory
  }

  package let mode: Mode
  package let keyPrefix: String
  let redis: RedisSettings
  let etcd: EtcdSettings

  /// The store. Its `run()` must run before it can answer.
  package func makeStore(
    clientName: String, eventLoopGroup: any EventLoopGroup, time: any MonotonicTime = SystemTime(),
    logger: Logger
  ) -> any LockStore {
    switch mode {
    case .memory: return MemoryLockStore(time: time)
    case .etcd:
      var configuration = EtcdLockStore.Configuration()
      configuration.keyPrefix = keyPrefix
      return EtcdLockStore(
        client: .measured(
          configuration: etcd.configuration, eventLoopGroup: eventLoopGroup, logger: logger),
        configuration: configuration, time: time, logger: logger)
    case .redlock:
      let lanes = eventLoopGroup.makeIterator().map { eventLoop in
        RedlockStore.Lane(
          eventLoop: eventLoop,
          clients: redis.addresses.map {
            redis.client(of: $0, name: clientName, on: eventLoop, logger: logger)
          })
      }
      var configuration = RedlockStore.Configuration()
      configuration.keyPrefix = keyPrefix
      configuration.nodeTimeout = redis.timeout
      return RedlockStore(
        lanes: Array(lanes), configuration: configuration, time: time, logger: logger)
    }
  }

  /// For a sidecar that finds the same locks.
  package var sidecarAccess: SidecarAccess {
    var access =
      switch mode {
      case .redlock: redis.sidecarAccess("--redis-addresses", redis.addresses)
      case .etcd: etcd.sidecarAccess
      case .memory: SidecarAccess()
      }
    access.arguments = ["--lock-mode", mode.rawValue] + access.arguments
    if !keyPrefix.isEmpty { access.arguments.append("--key-prefix=\(keyPrefix)") }
    if mode == .redlock { access.arguments += redis.timeoutArguments }
    return access
  }

  /// Says at start what will not work later.
  package func warn(_ logger: Logger) {
    switch mode {
    case .redlock: redis.warn(of: redis.addresses, logger)
    case .etcd: etcd.warn(logger)
    case .memory:
      logger.warning("locks live in this process only: sidecars do not share them")
    }
  }
}
