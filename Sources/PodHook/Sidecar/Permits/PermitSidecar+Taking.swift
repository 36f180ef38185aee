import Coordination
import CoreMetrics
import Logging
import ServiceKit

extension PermitSidecar {
  /// Between two questions for a permit while others have them all.
  private static let pollInterval = Duration.seconds(1)

  /// Takes a permit through the same steps as an admission; waits for one if none is free.
  ///
  /// States its own length once. While it waits, the length that was stated last counts for it too:
  /// otherwise it would undo every change that others make, once a second.
  ///
  /// - Parameter isRunning: whether the application runs. It may not wait: it stops, as far as the
  ///   fence can do that.
  func win(isRunning: Bool, _ holder: inout Holder) async throws -> Token {
    holder.since = wallClock()
    var isAnnounced = false
    var length = terms.length
    while true {
      let sentAt = time.now
      switch try await take(length, holder) {
      case .granted(let token):
        won(token, sentAt: sentAt, "permit taken")
        return token
      case .exhausted(let counts):
        if isRunning, view.heartbeatAt != nil || !isAnnounced { try lose(counts) }
        if !isAnnounced {
          isAnnounced = true
          logger.notice(
            "waiting for a permit",
            metadata: ["inFlight": "\(counts.inFlight)", "length": "\(terms.length)"])
        }
        length = try await waitForVacancy()
      }
    }
  }

  private func take(_ length: Int, _ holder: Holder) async throws -> Semaphore.Take {
    try await patience.persist("permit could not be asked for") {
      deadline throws(SemaphoreError) in
      try await self.semaphore.take(
        self.configuration.key, length: length, lockTime: self.terms.lockTime,
        as: holder, lifetime: self.store.staleAfter, deadline: deadline)
    }
  }

  /// Returns when a permit may be free. The numbers are read without the lock around the queue,
  /// which all who wait would take in turns.
  ///
  /// - Returns: the length that was stated last.
  private func waitForVacancy() async throws -> Int {
    repeat {
      try await time.sleep(for: Self.pollInterval * Double.random(in: 0.8...1.2))
      let counts = try await patience.persist("semaphore could not be read") {
        deadline throws(StoreError) in
        try await self.store.counts(self.configuration.key, deadline: deadline)
      }
      let length = counts.length ?? terms.length
      if counts.queue > 0 || counts.inFlight - counts.stale < length { return length }
    } while true
  }

  /// The permit is gone and there is none for us.
  private func lose(_ counts: SemaphoreCounts) throws {
    view.drop()
    metrics.held.record(0)
    logger.error(
      "permit lost, and none is free",
      metadata: ["inFlight": "\(counts.inFlight)", "length": "\(terms.length)"])
    guard configuration.isFencing else { return }
    effects.mark?.erase()
    // At once: an orderly end would wait for whoever is connected to this process.
    effects.exit(Fence.exitCode)
    throw ExitWithCode(Fence.exitCode)
  }
}
