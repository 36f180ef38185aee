import RedisClient
import ServiceLifecycle

/// What is given back in the background, after the caller who may have taken it has left.
struct GiveBacks<Item: Sendable>: Sendable {
  /// How long each is tried. What is still not given back then frees itself in time.
  private static var patience: Duration { .seconds(5) }
  /// Between two attempts to reach a server that may come back with it.
  private static var pause: Duration { .milliseconds(200) }

  private let time: any MonotonicTime
  private let items: AsyncStream<Item>
  private let continuation: AsyncStream<Item>.Continuation

  init(time: any MonotonicTime) {
    self.time = time
    // What does not fit frees itself when its time to live runs out.
    (items, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(10_000))
  }

  /// Never waits.
  func add(_ item: Item) { continuation.yield(item) }

  /// Runs the clients, and gives back over them. At a graceful shutdown, first what is still to be
  /// given back, then the connections; returns then, or on cancellation.
  ///
  /// - Parameter giveBack: one attempt, at most for the time given.
  func run(
    over clients: [RedisClient],
    _ giveBack: @escaping @Sendable (Item, _ timeout: Duration) async throws(RedisError) -> Void
  ) async {
    await withDiscardingTaskGroup { group in
      for client in clients { group.addTask { await client.runUntilCancelled() } }
      await withGracefulShutdownHandler {
        await withDiscardingTaskGroup { group in
          for await item in items {
            group.addTask { await persist(with: item, giveBack) }
          }
        }
      } onGracefulShutdown: { [continuation] in
        continuation.finish()
      }
      group.cancelAll()
    }
  }

  private func persist(
    with item: Item, _ giveBack: (Item, Duration) async throws(RedisError) -> Void
  ) async {
    let deadline = time.now + Self.patience
    while time.now < deadline {
      do throws(RedisError) {
        return try await giveBack(item, deadline - time.now)
      } catch {
        // At the end of the process nobody waits for a server that is away: what it still has, frees
        // itself or is replaced by the next holder.
        let isEnding = Task.isShuttingDownGracefully && error.kind == .notConnected
        guard error.passesByItself, !isEnding, (try? await time.sleep(for: Self.pause)) != nil
        else { return }
      }
    }
  }
}

extension RedisError {
  /// Whether the same command may succeed soon. A server that is restarting may come back with the
  /// lock; one that is only silent has the command already.
  fileprivate var passesByItself: Bool {
    switch kind {
    case .notConnected, .connectionClosed, .tooManyPending: true
    case .server(let code): ["LOADING", "BUSY", "TRYAGAIN", "MASTERDOWN"].contains(code)
    case .timedOut, .cancelled, .protocolViolation, .configuration: false
    }
  }
}
