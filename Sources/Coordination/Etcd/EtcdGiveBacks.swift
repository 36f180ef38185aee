import EtcdClient
import Logging
import ServiceLifecycle

/// What a store on etcd gives back in the background, after the caller who may have taken it has
/// left.
struct EtcdGiveBacks<Item: Sendable>: Sendable {
  /// How long each is tried.
  private static var patience: Duration { .seconds(5) }
  /// What is given back at once.
  private static var concurrency: Int { 64 }

  private let items: AsyncStream<Item>
  private let continuation: AsyncStream<Item>.Continuation

  init() {
    // What does not fit frees itself when its time to live runs out.
    (items, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(10_000))
  }

  /// Never waits.
  func add(_ item: Item) { continuation.yield(item) }

  /// Runs the client, and gives back over it. At a graceful shutdown, first what is still to be
  /// given back, then the connections; returns then, or on cancellation.
  func run(
    over client: EtcdClient, logger: Logger,
    _ giveBack: @escaping @Sendable (Item, _ timeout: Duration) async throws -> Void
  ) async {
    await withDiscardingTaskGroup { group in
      group.addTask { await client.runUntilCancelled() }
      await withGracefulShutdownHandler {
        await giveAllBack(logger, giveBack)
      } onGracefulShutdown: { [continuation] in
        continuation.finish()
      }
      group.cancelAll()
    }
  }

  /// Returns once the stream has ended and all that was in it is given back, or on cancellation.
  private func giveAllBack(
    _ logger: Logger, _ giveBack: @escaping @Sendable (Item, Duration) async throws -> Void
  ) async {
    await withTaskGroup(of: Void.self) { group in
      var running = 0
      for await item in items {
        if running >= Self.concurrency {
          await group.next()
          running -= 1
        }
        group.addTask {
          // At the end of the process nobody waits long for an etcd that is away.
          let timeout = Task.isShuttingDownGracefully ? Duration.seconds(1) : Self.patience
          do {
            try await giveBack(item, timeout)
          } catch {
            // It frees itself when its lease runs out.
            logger.info("could not be given back to etcd", metadata: ["reason": "\(error)"])
          }
        }
        running += 1
      }
    }
  }
}
