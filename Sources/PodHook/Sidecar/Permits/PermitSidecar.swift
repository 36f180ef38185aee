package import Coordination
import CoreMetrics
package import Logging
import Metrics
import ServiceKit
import ServiceLifecycle

/// Keeps the permit of one Pod from hand-over to release.
///
/// ```
///            reclaimed             gate opens                told that it is lost
///  claiming ───────────▶ waiting ───────────▶ holding ──────────────────────────▶ taking anew
///      │    a permit is free│                 ▲  │ SIGTERM    a permit is free      │ none is free
///      └────────────────────┴─────────────────┘  ▼    ◀─────────────────────────────┤
///                                             released                     restart-all: exit 42
/// ```
///
/// The opposite choice to ``LockSidecar``: whoever cannot reach the store runs on. Only the store's
/// word that the permit was reclaimed, and that none is free, stops an application.
package final class PermitSidecar: PodSidecar {
  let configuration: SidecarConfiguration
  let terms: PermitTerms
  let semaphore: Semaphore
  let time: any MonotonicTime
  /// Seconds since 1970, for people.
  let wallClock: @Sendable () -> Int
  let effects: SidecarEffects
  let view = PermitView()
  let metrics = PermitMetrics()
  let logger: Logger
  let patience: Patience

  var store: any SemaphoreStore { semaphore.store }

  package init(
    configuration: SidecarConfiguration, terms: PermitTerms, semaphore: Semaphore,
    time: any MonotonicTime = SystemTime(), wallClock: @escaping @Sendable () -> Int,
    effects: SidecarEffects = SidecarEffects(), logger: Logger
  ) {
    var logger = logger
    logger[metadataKey: "key"] = "\(configuration.key)"
    logger[metadataKey: "pod"] = "\(configuration.holder.pod)"
    self.configuration = configuration
    self.terms = terms
    self.semaphore = semaphore
    self.time = time
    self.wallClock = wallClock
    self.effects = effects
    self.logger = logger
    patience = Patience(time: time, logger: logger)
  }

  package func run() async throws {
    metrics.held.record(0)
    do {
      try await untilShutdown(
        lateness: configuration.lateness, { try await self.time.sleep(for: $0) }
      ) { try await self.hold() }
    } catch is CancellationError {}
    await release()
  }

  private func hold() async throws {
    // An application without a gate started together with this sidecar.
    var isRunning = !configuration.isGated
    if effects.mark?.read() != nil {
      isRunning = true
      metrics.resumed.increment()
      metrics.held.record(1)
      view.assume()
    }
    var holder = configuration.holder
    holder.claimID = configuration.token.publicID
    var token = try await resume(isRunning: isRunning, &holder)
    while true {
      if token == nil { token = try await win(isRunning: isRunning, &holder) }
      guard let held = token else { continue }
      try Task.checkCancellation()
      open()
      isRunning = true
      effects.whenStarted()
      let overLength = try await keep(held, holder)
      token = nil
      metrics.lost.increment()
      logger.warning(
        "permit was reclaimed", metadata: ["overLengthSeconds": "\(overLength.inSeconds)"])
    }
  }

  /// Finds out whether the permit that this sidecar was given, or the one that the sidecar before
  /// it had taken anew, is still this Pod's.
  private func resume(isRunning: Bool, _ holder: inout Holder) async throws -> Token? {
    let key = configuration.key
    if let known = try await recorded(configuration.token) {
      holder.since = known.since
      holder.owner = known.owner
    }
    if try await confirm(configuration.token, holder) { return configuration.token }
    guard isRunning else { return nil }
    let permits = try await patience.persist("permits could not be read") {
      deadline throws(StoreError) in
      try await self.store.permits(key, deadline: deadline)
    }
    if let own = permits.first(where: isOwn),
      try await confirm(own.token, own.holder ?? holder)
    {
      return own.token
    }
    metrics.lost.increment()
    return nil
  }

  /// Whether a permit was taken by this sidecar, or by one before it.
  func isOwn(_ permit: Permit) -> Bool {
    permit.holder?.podUID == configuration.podUID
      && permit.holder?.claimID == configuration.token.publicID
  }

  private func recorded(_ token: Token) async throws -> Holder? {
    try await patience.persist("permit could not be read") { deadline throws(StoreError) in
      try await self.store.permit(self.configuration.key, token: token, deadline: deadline)
    }?.holder
  }

  /// One heartbeat, until the store answers.
  private func confirm(_ token: Token, _ holder: Holder) async throws -> Bool {
    var sentAt = time.now
    let answer = try await patience.persist("permit could not be taken over") {
      deadline throws(StoreError) in
      sentAt = self.time.now
      return try await self.store.heartbeat(
        self.configuration.key, token: token, as: holder, deadline: deadline)
    }
    guard answer == .alive else { return false }
    won(token, sentAt: sentAt, "permit taken over")
    return true
  }

  func won(_ token: Token, sentAt: Duration, _ message: Logger.Message) {
    metrics.acquired.increment()
    metrics.held.record(1)
    view.hold(token, sentAt: sentAt)
    logger.notice(message)
  }

  /// Lets the application start.
  private func open() {
    guard configuration.isGated, !view.isOpen else { return }
    // From here on a sidecar that starts anew knows that the application runs.
    effects.mark?.write(giveUpAt: time.now)
    view.open()
    logger.notice("gate opened")
  }

  /// Says that the Pod lives, until the permit turns out to be reclaimed.
  /// - Returns: for how long another had it meanwhile.
  private func keep(_ token: Token, _ holder: Holder) async throws -> Duration {
    var next = terms.nextHeartbeat(after: time.now, jitter: .random(in: -1...1))
    while true {
      try await time.sleep(until: next)
      let now = time.now
      do throws(StoreError) {
        let answer = try await store.heartbeat(
          configuration.key, token: token, as: holder, deadline: now + Patience.storeTime)
        if case .lost(let overLength) = answer { return overLength }
        metrics.heartbeats.increment()
        view.hold(token, sentAt: now)
        next = terms.nextHeartbeat(after: now, jitter: .random(in: -1...1))
      } catch {
        try Task.checkCancellation()
        metrics.failedHeartbeats.increment()
        logger.warning("heartbeat was not answered", metadata: ["reason": "\(error)"])
        next = terms.nextAttempt(after: time.now)
      }
    }
  }

  /// The next sidecar resumes the permit; until then its heartbeats are not missed.
  package func abandon(_ part: String, _ error: any Error) {
    logger.critical("part ended", metadata: ["part": "\(part)", "reason": "\(error)"])
    effects.exit(1)
  }
}

extension Duration {
  /// To the millisecond, for logs and sums.
  var inSeconds: Double {
    Double(components.seconds) + (Double(components.attoseconds) / 1e15).rounded() / 1e3
  }
}
