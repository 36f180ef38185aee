import Coordination
import CoreMetrics
import Logging
import ServiceKit

extension PermitSidecar {
  /// Between two questions for a permit while others have them all.
  private static let pollInterval = Duration.seconds(1)

  /// Takes a permit through the same steps as an admission; waits for one if none is free.
  ///
  /// The length that was stated last counts, so that a Pod of an older template does not undo what a
  /// newer one or an operator has stated since.
  ///
  /// - Parameter isRunning: whether the application runs. It may not wait: it stops, as far as the
  ///   fence can do that.
  func win(isRunning: Bool, _ holder: inout Holder) async throws -> Token {
    holder.since = wallClock()
    var isAnnounced = false
    var countedTo = time.now
    while true {
      let sentAt = time.now
      if isRunning, isAnnounced { metrics.overLength.increment(by: (sentAt - countedTo).inSeconds) }
      countedTo = sentAt
      // The numbers first, without the lock around the queue: all who wait would take it in turns,
      // and who runs without a permit must not have to wait for it.
      var counts = try await patience.persist("semaphore could not be read") {
        deadline throws(StoreError) in
        try await self.store.counts(self.configuration.key, deadline: deadline)
      }
      let length = counts.length ?? terms.length
      if counts.queue > 0 || counts.inFlight - counts.stale < length {
        switch try await take(length, holder) {
        case .granted(let token):
          won(token, sentAt: sentAt, "permit taken")
          return token
        case .exhausted(let now): counts = now
        }
      }
      if isRunning, view.isHeld || !isAnnounced { try lose(counts) }
      if !isAnnounced {
        isAnnounced = true
        logger.notice(
          "waiting for a permit",
          metadata: ["inFlight": "\(counts.inFlight)", "length": "\(length)"])
      }
      try await time.sleep(for: Self.pollInterval * Double.random(in: 0.8...1.2))
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

  /// The permit is gone and there is none for us.
  private func lose(_ counts: SemaphoreCounts) throws {
    view.drop()
    metrics.held.record(0)
    logger.error(
      "permit lost, and none is free",
      metadata: [
        "inFlight": "\(counts.inFlight)", "length": "\(counts.length ?? terms.length)",
      ])
    guard configuration.isFencing else { return }
    effects.mark?.erase()
    // At once: an orderly end would wait for whoever is connected to this process.
    effects.exit(Fence.exitCode)
    throw ExitWithCode(Fence.exitCode)
  }
}
