import Coordination
import Logging
import NIOCore
import NIOPosix
import PodHook
import ServiceKit

/// The two stores of this hook: permits, and the locks around their queues.
struct StorePair {
  let locks: StoreConfiguration
  let queue: QueueConfiguration

  init(locks: StoreOptions, queue: QueueOptions, _ reader: inout OptionReader) {
    self.locks = locks.resolve(&reader)
    self.queue = queue.resolve(&reader, store: self.locks)
  }

  var sidecarAccess: SidecarAccess { locks.sidecarAccess + queue.sidecarAccess }

  func warn(_ logger: Logger) {
    locks.warn(logger)
    queue.warn(logger)
  }

  /// - Parameter isReclaiming: whether permits are taken from holders that count as dead.
  func make(
    clientName: String, isReclaiming: Bool = true, eventLoopGroup: any EventLoopGroup,
    logger: Logger
  ) -> (locks: any LockStore, permits: any SemaphoreStore) {
    (
      locks.makeStore(clientName: clientName, eventLoopGroup: eventLoopGroup, logger: logger),
      queue.makeStore(
        clientName: clientName, isReclaiming: isReclaiming, eventLoopGroup: eventLoopGroup,
        logger: logger)
    )
  }
}

/// The stores of a command that asks something and ends.
struct Inspecting {
  private let stores: StorePair
  private let level: Logger.Level

  init(
    _ locks: StoreOptions, _ queue: QueueOptions, _ logging: LoggingOptions,
    _ reader: inout OptionReader
  ) {
    stores = StorePair(locks: locks, queue: queue, &reader)
    level = logging.resolve(&reader)
  }

  /// Runs `body` while the stores run. Call it once the options are known to be right.
  func run<Value: Sendable>(
    _ body: @escaping @Sendable (SemaphoreInspection) async throws -> Value
  ) async throws -> Value {
    // What goes wrong is said once, by the command itself.
    let telemetry = Telemetry(bootstrap: max(level, .critical), label: "command")
    let (locks, permits) = stores.make(
      clientName: AtLeastSemaphorePodHook.name, isReclaiming: false,
      eventLoopGroup: MultiThreadedEventLoopGroup(numberOfThreads: 1), logger: telemetry.logger)
    let onDemand = OnDemandLockStore(locks)
    let inspection = SemaphoreInspection(
      semaphore: Semaphore(
        store: permits, locks: onDemand, name: AtLeastSemaphorePodHook.name, time: SystemTime()))
    return try await withRunning([permits, onDemand]) { try await body(inspection) }
  }
}
