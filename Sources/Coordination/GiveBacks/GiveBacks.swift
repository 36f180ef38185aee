import ServiceLifecycle

/// What a store gives back in the background, after the caller who may have taken it has left.
///
/// It frees itself in time where that does not succeed: all of it has a time to live.
struct GiveBacks<Item: Sendable>: Sendable {
  /// How long each is tried.
  static var patience: Duration { .seconds(5) }

  private let concurrency: Int
  private let items: AsyncStream<Item>
  private let continuation: AsyncStream<Item>.Continuation

  /// - Parameter concurrency: how much is given back at once.
  init(concurrency: Int) {
    self.concurrency = concurrency
    // What does not fit frees itself when its time to live runs out.
    (items, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(10_000))
  }

  /// Never waits.
  func add(_ item: Item) { continuation.yield(item) }

  /// Runs clients, and gives back over them. At a graceful shutdown, first what is still to be given
  /// back, then the clients end; returns then, or on cancellation.
  ///
  /// - Parameters:
  ///   - clients: each until it is cancelled.
  ///   - giveBack: with all attempts that are worth it.
  func run(
    _ clients: [@Sendable () async -> Void], _ giveBack: @escaping @Sendable (Item) async -> Void
  ) async {
    await withDiscardingTaskGroup { group in
      for client in clients { group.addTask { await client() } }
      await withGracefulShutdownHandler {
        await giveAllBack(giveBack)
      } onGracefulShutdown: { [continuation] in
        continuation.finish()
      }
      group.cancelAll()
    }
  }

  /// Returns once the stream has ended and all that was in it is given back, or on cancellation.
  private func giveAllBack(_ giveBack: @escaping @Sendable (Item) async -> Void) async {
    await withTaskGroup(of: Void.self) { group in
      var running = 0
      for await item in items {
        if running >= concurrency {
          await group.next()
          running -= 1
        }
        group.addTask { await giveBack(item) }
        running += 1
      }
    }
  }
}
