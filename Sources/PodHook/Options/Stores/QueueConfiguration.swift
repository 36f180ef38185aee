package import Coordination
import EtcdClient
package import Logging
package import NIOCore
import RedisClient

/// Where the permits live, and how to reach that.
package struct QueueConfiguration: Sendable {
  package enum Mode: String, CaseIterable, Sendable {
    case redis
    case etcd
    case memory
  }

  package let mode: Mode
  let address: RedisAddress
  package let staleAfter: Duration
  let store: StoreConfiguration

  /// The store. Its `run()` must run before it can answer.
  ///
  /// - Parameter isReclaiming: false for a command, which may have been given another threshold than
  ///   the sidecars that live by it. On etcd each holder's own counts anyway.
  package func makeStore(
    clientName: String, isReclaiming: Bool = true, eventLoopGroup: any EventLoopGroup,
    time: any MonotonicTime = SystemTime(), logger: Logger
  ) -> any SemaphoreStore {
    switch mode {
    case .memory: return MemorySemaphoreStore(staleAfter: staleAfter, time: time)
    case .etcd:
      var configuration = EtcdSemaphoreStore.Configuration()
      configuration.keyPrefix = store.keyPrefix
      configuration.staleAfter = staleAfter
      return EtcdSemaphoreStore(
        client: .measured(
          configuration: store.etcd.configuration, eventLoopGroup: eventLoopGroup, logger: logger),
        configuration: configuration, time: time, logger: logger)
    case .redis:
      let lanes = eventLoopGroup.makeIterator().map { eventLoop in
        RedisSemaphoreStore.Lane(
          eventLoop: eventLoop,
          client: store.redis.client(
            of: address, name: clientName, on: eventLoop, logger: logger))
      }
      var configuration = RedisSemaphoreStore.Configuration()
      configuration.staleAfter = staleAfter
      configuration.isReclaiming = isReclaiming
      configuration.keyPrefix = store.keyPrefix
      configuration.commandTimeout = store.redis.timeout
      return RedisSemaphoreStore(
        lanes: Array(lanes), configuration: configuration, time: time, logger: logger)
    }
  }

  /// For a sidecar that finds the same permits.
  package var sidecarAccess: SidecarAccess {
    var access =
      switch mode {
      case .redis: store.redis.sidecarAccess("--queue-redis-address", [address])
      // The same cluster as that of the locks, which says where it is.
      case .etcd: store.mode == .etcd ? SidecarAccess() : store.etcd.sidecarAccess
      case .memory: SidecarAccess()
      }
    access.arguments = ["--queue-mode", mode.rawValue] + access.arguments
    // With locks in Redis, those of the locks say it.
    if mode == .redis, store.mode != .redlock { access.arguments += store.redis.timeoutArguments }
    return access
  }

  /// Says at start what will not work later, and was not said of the locks.
  package func warn(_ logger: Logger) {
    switch mode {
    case .redis: store.redis.warn(of: [address], logger)
    case .etcd: if store.mode != .etcd { store.etcd.warn(logger) }
    case .memory:
      logger.warning("permits live in this process only: sidecars do not share them")
    }
  }
}
