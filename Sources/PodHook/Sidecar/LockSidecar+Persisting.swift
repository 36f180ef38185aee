import Coordination
import Logging

extension LockSidecar {
  /// Asks the store until it answers; the gate stays as it is meanwhile.
  @discardableResult
  func persist<Answer: Sendable>(
    _ failure: Logger.Message,
    _ question: (_ deadline: Duration) async throws(StoreError) -> Answer
  ) async throws -> Answer {
    while true {
      if let answer = try await persist(failure, until: nil, question) { return answer }
    }
  }

  /// Asks the store until it answers or `limit` has come; nil: there is none.
  /// - Returns: nil if it gave up.
  func persist<Answer: Sendable>(
    _ failure: Logger.Message, until limit: Duration?,
    _ question: (_ deadline: Duration) async throws(StoreError) -> Answer
  ) async throws -> Answer? {
    func capped(_ instant: Duration) -> Duration { limit.map { min($0, instant) } ?? instant }
    while limit.map({ time.now < $0 }) ?? true {
      do throws(StoreError) {
        return try await question(capped(time.now + Self.storeTime))
      } catch {
        try Task.checkCancellation()
        logger.warning(failure, metadata: ["reason": "\(error)"])
      }
      let pause = Self.retryInterval * Double.random(in: 0.5...1)
      try await time.sleep(until: capped(time.now + pause))
    }
    return nil
  }
}
