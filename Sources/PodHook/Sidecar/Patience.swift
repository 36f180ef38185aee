import Coordination
import Logging

/// Asks a store until it answers.
struct Patience: Sendable {
  /// How long one question to the store may take.
  static let storeTime = Duration.seconds(3)
  /// Between two tries after the store did not answer.
  private static let retryInterval = Duration.seconds(1)

  let time: any MonotonicTime
  let logger: Logger

  /// Asks until there is an answer.
  @discardableResult
  func persist<Answer: Sendable, Failure: Error>(
    _ failure: Logger.Message,
    _ question: (_ deadline: Duration) async throws(Failure) -> Answer
  ) async throws -> Answer {
    while true {
      if let answer = try await persist(failure, until: nil, question) { return answer }
    }
  }

  /// Asks until there is an answer or `limit` has come; nil: there is none.
  /// - Returns: nil if it gave up.
  func persist<Answer: Sendable, Failure: Error>(
    _ failure: Logger.Message, until limit: Duration?,
    _ question: (_ deadline: Duration) async throws(Failure) -> Answer
  ) async throws -> Answer? {
    func capped(_ instant: Duration) -> Duration { limit.map { min($0, instant) } ?? instant }
    while limit.map({ time.now < $0 }) ?? true {
      do throws(Failure) {
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
