import RedisClient
import ServiceLifecycle

extension GiveBacks {
  /// Each of these waits for one server only.
  static var atRedis: GiveBacks { GiveBacks(concurrency: 1024) }

  /// As ``run(_:_:)``, over clients of Redis, with new attempts while a server may come back.
  ///
  /// - Parameter giveBack: one attempt, at most for the time given.
  func run(
    over clients: [RedisClient], time: any MonotonicTime,
    _ giveBack: @escaping @Sendable (Item, _ timeout: Duration) async throws(RedisError) -> Void
  ) async {
    await run(clients.map { client in { await client.runUntilCancelled() } }) { item in
      let deadline = time.now + Self.patience
      while time.now < deadline {
        do throws(RedisError) {
          return try await giveBack(item, deadline - time.now)
        } catch {
          // At the end of the process nobody waits for a server that is away: what it still has,
          // frees itself or is replaced by the next holder.
          let isEnding = Task.isShuttingDownGracefully && error.kind == .notConnected
          let pause = Duration.milliseconds(200)
          guard error.passesByItself, !isEnding, (try? await time.sleep(for: pause)) != nil
          else { return }
        }
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
