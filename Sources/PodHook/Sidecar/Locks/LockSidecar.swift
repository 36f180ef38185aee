package import Coordination
import CoreMetrics
package import Logging
import Metrics
import ServiceKit
import ServiceLifecycle

/// Keeps the lock of one Pod from hand-over to release.
///
/// ```
///            another's             gate opens             store refuses, time is up
///  claiming ───────────▶ waiting ───────────▶ holding ───────────────────────────▶ lost
///      │     free again     │                    │ SIGTERM                           │
///      └────────────────────┴──────▶ holding     ▼                    restart-all: exit 42
///                                             released            otherwise: claiming again
/// ```
package final class LockSidecar: PodSidecar {
  let configuration: SidecarConfiguration
  let store: any LockStore
  let time: any MonotonicTime
  /// Seconds since 1970, for people.
  private let wallClock: @Sendable () -> Int
  let effects: SidecarEffects
  let view = LockView()
  let metrics = LockMetrics()
  let logger: Logger
  let terms: LeaseTerms
  let patience: Patience

  /// Between two questions for a lock that another holds.
  private static let pollInterval = Duration.milliseconds(500)

  package init(
    configuration: SidecarConfiguration, terms: LeaseTerms, store: any LockStore,
    time: any MonotonicTime = SystemTime(), wallClock: @escaping @Sendable () -> Int,
    effects: SidecarEffects = SidecarEffects(), logger: Logger
  ) {
    var logger = logger
    logger[metadataKey: "key"] = "\(configuration.key)"
    logger[metadataKey: "pod"] = "\(configuration.holder.pod)"
    self.configuration = configuration
    self.store = store
    self.time = time
    self.wallClock = wallClock
    self.effects = effects
    self.logger = logger
    self.terms = terms
    patience = Patience(time: time, logger: logger)
  }

  /// Runs until graceful shutdown, then gives the lock back.
  /// - Throws: `ExitWithCode(42)` when the lock is lost and the fence is `restart-all`.
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
    var (token, holder) = (configuration.token, configuration.holder)
    var resumed = try await recover(&token, &holder)
    var isRunning = resumed != nil
    while true {
      let lease = if let resumed { resumed } else { try await win(token, &holder) }
      resumed = nil
      token = lease.token
      if configuration.isGated, !view.isOpen {
        guard try await open(lease) else {
          if isRunning { try lose(.expiring) }
          isRunning = false
          continue
        }
        isRunning = true
      }
      effects.whenStarted()
      try lose(try await keep(lease, holder))
    }
  }

  /// Takes over the claim, or waits until the lock is free and takes it.
  private func win(_ token: Token, _ holder: inout Holder) async throws -> LockLease {
    let (key, ttl) = (configuration.key, terms.expiration)
    if case .extended(let lease) = try await handOver(token, holder) {
      return won(lease, "lock taken over")
    }
    var isAnnounced = false
    while true {
      holder.since = wallClock()
      let contender = holder
      let result = try await patience.persist("lock could not be asked for") {
        deadline throws(StoreError) in
        try await self.store.acquire(key, as: contender, ttl: ttl, deadline: deadline)
      }
      switch result {
      case .granted(let lease): return won(lease, "lock acquired")
      case .taken(let owner):
        if owner.record.holder?.podUID == holder.podUID,
          // An answer was lost on its way: the lock has been ours since.
          case .extended(let lease) = try await handOver(owner.record.token, contender)
        {
          return won(lease, "lock acquired")
        }
        if !isAnnounced {
          isAnnounced = true
          logger.notice(
            "waiting for the lock",
            metadata: ["holder": "\(owner.record.holder?.displayName ?? "unknown")"])
        }
        let pause = min(Self.pollInterval, (owner.timeLeft ?? .seconds(1)) + .milliseconds(1))
        try await time.sleep(for: pause * Double.random(in: 0.8...1.2))
      }
    }
  }

  private func handOver(
    _ token: Token, _ holder: Holder
  ) async throws -> LockExtension {
    try await patience.persist("claim could not be taken over") { deadline throws(StoreError) in
      try await self.store.extend(
        self.configuration.key, .init(token: token), as: holder,
        ttl: self.terms.expiration, deadline: deadline)
    }
  }

  func won(_ lease: LockLease, _ message: Logger.Message) -> LockLease {
    metrics.acquired.increment()
    metrics.held.record(1)
    logger.notice(message, metadata: ["fencingToken": "\(lease.fencingToken)"])
    show(lease)
    return lease
  }

  /// Records that the application starts, then lets it.
  /// - Returns: false if the lock was lost before that.
  private func open(_ lease: LockLease) async throws -> Bool {
    let giveUpAt = terms.giveUp(lease)
    let isRecorded = try await patience.persist("opening could not be recorded", until: giveUpAt) {
      deadline throws(StoreError) in
      try await self.store.recordOpened(
        self.configuration.key, token: lease.token, podUID: self.configuration.podUID,
        deadline: deadline)
    }
    guard isRecorded == true, time.now < giveUpAt else {
      view.drop()
      return false
    }
    // From here on a sidecar that starts anew knows that the application runs, and until when.
    effects.mark?.write(giveUpAt: giveUpAt)
    view.open()
    logger.notice("gate opened")
    return true
  }

  /// Renews until the lock is lost.
  private func keep(_ first: LockLease, _ holder: Holder) async throws -> LossReason {
    var lease = first
    var next = terms.nextRenewal(after: time.now, jitter: .random(in: -1...1))
    while true {
      let giveUpAt = terms.giveUp(lease)
      try await time.sleep(until: min(next, giveUpAt))
      let now = time.now
      if now >= giveUpAt { return .expiring }
      do throws(StoreError) {
        let known = LockLease.Known(
          token: lease.token, fencingToken: lease.fencingToken, isOpened: view.isOpen)
        let result = try await store.extend(
          configuration.key, known, as: holder, ttl: terms.expiration,
          deadline: min(giveUpAt, now + Patience.storeTime))
        guard case .extended(let renewed) = result else { return .taken }
        metrics.renewed.increment()
        metrics.timeLeft.record(duration: lease.validUntil - now)
        lease = renewed
        show(lease)
        next = terms.nextRenewal(after: now, jitter: .random(in: -1...1))
      } catch {
        try Task.checkCancellation()
        metrics.failedRenewals.increment()
        logger.warning("lock could not be renewed", metadata: ["reason": "\(error)"])
        next = terms.nextAttempt(after: time.now)
      }
    }
  }

  private func show(_ lease: LockLease) {
    let giveUpAt = terms.giveUp(lease)
    view.hold(lease, until: giveUpAt)
    if view.isOpen { effects.mark?.write(giveUpAt: giveUpAt) }
  }

  func lose(_ reason: LossReason) throws {
    view.drop()
    metrics.lost(reason)
    effects.mark?.erase()
    logger.error("lock lost", metadata: ["reason": "\(reason.rawValue)"])
    guard configuration.isFencing else { return }
    // At once: an orderly end would wait for whoever is connected to this process.
    effects.exit(Fence.exitCode)
    throw ExitWithCode(Fence.exitCode)
  }

  /// The fence stops the application, or the next sidecar resumes the lock.
  package func abandon(_ part: String, _ error: any Error) {
    let isOpen = view.isOpen
    view.drop()
    logger.critical("part ended", metadata: ["part": "\(part)", "reason": "\(error)"])
    guard configuration.isFencing, isOpen else { return effects.exit(1) }
    effects.mark?.erase()
    effects.exit(Fence.exitCode)
  }
}
