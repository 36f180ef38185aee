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
package final class LockSidecar: Service {
  let configuration: SidecarConfiguration
  let store: any LockStore
  let time: any MonotonicTime
  /// Seconds since 1970, for people.
  private let wallClock: @Sendable () -> Int
  /// Called when there is nothing left to do but to renew.
  private let whenStarted: @Sendable () -> Void
  let view = LockView()
  let metrics = SidecarMetrics()
  let logger: Logger
  private let schedule: LeaseSchedule

  /// How long one question to the store may take.
  static let storeTime = Duration.seconds(3)
  /// Between two questions for a lock that another holds.
  private static let pollInterval = Duration.milliseconds(500)
  /// Between two tries after the store did not answer.
  private static let retryInterval = Duration.seconds(1)

  package init(
    configuration: SidecarConfiguration, store: any LockStore,
    time: any MonotonicTime = SystemTime(), wallClock: @escaping @Sendable () -> Int,
    whenStarted: @escaping @Sendable () -> Void = {}, logger: Logger
  ) {
    var logger = logger
    logger[metadataKey: "key"] = "\(configuration.key)"
    logger[metadataKey: "pod"] = "\(configuration.holder.pod)"
    self.configuration = configuration
    self.store = store
    self.time = time
    self.wallClock = wallClock
    self.whenStarted = whenStarted
    self.logger = logger
    schedule = LeaseSchedule(
      expiration: configuration.expiration, fenceMargin: configuration.fenceMargin)
  }

  /// Runs until graceful shutdown, then gives the lock back.
  /// - Throws: `ExitWithCode(42)` when the lock is lost and the fence is `restart-all`.
  package func run() async throws {
    metrics.held.record(0)
    do {
      try await untilShutdown { try await self.hold() }
    } catch is CancellationError {}
    await release()
  }

  /// Runs `body` until it throws or the process is told to stop. Without a gate the application is
  /// told at the same moment: then the lock is kept while the application ends.
  private func untilShutdown(_ body: @escaping @Sendable () async throws -> Void) async throws {
    let lateness =
      configuration.isGated
      ? Duration.zero : max(configuration.gracePeriod - .seconds(1), .zero)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await body() }
      group.addTask {
        try await gracefulShutdown()
        try await self.time.sleep(for: lateness)
      }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  private func hold() async throws {
    var (token, holder) = try await recover()
    while true {
      let lease = try await win(token, &holder)
      token = lease.token
      if configuration.isGated, !view.isOpen {
        guard try await open(lease) else { continue }
      }
      whenStarted()
      try lose(try await keep(lease, holder))
    }
  }

  /// Finds out whether a sidecar of this Pod ran before, and with which token; and what the store
  /// knows of this Pod that the Pod does not.
  private func recover() async throws -> (LockToken, LockHolder) {
    let podUID = configuration.podUID
    let snapshot = try await persist("lock could not be read") { deadline throws(LockStoreError) in
      try await self.store.inspect(self.configuration.key, podUID: podUID, deadline: deadline)
    }
    let isMine = snapshot.owner?.record.holder?.podUID == podUID
    if snapshot.isOpened, configuration.isGated {
      metrics.resumed.increment()
      if !isMine {
        try await persist("record could not be deleted") { deadline throws(LockStoreError) in
          try await self.store.forgetOpened(
            self.configuration.key, podUID: podUID, deadline: deadline)
        }
        try lose(.absent)
      }
    }
    var holder = configuration.holder
    guard let record = snapshot.owner?.record, isMine || record.token == configuration.token else {
      return (configuration.token, holder)
    }
    holder.since = record.holder?.since ?? holder.since
    holder.owner = record.holder?.owner
    return (record.token, holder)
  }

  /// Takes over the claim, or waits until the lock is free and takes it.
  private func win(_ token: LockToken, _ holder: inout LockHolder) async throws -> LockLease {
    let (key, ttl, claimant) = (configuration.key, configuration.expiration, holder)
    let handOver = try await persist("claim could not be taken over") {
      deadline throws(LockStoreError) in
      try await self.store.extend(
        key, .init(token: token), as: claimant, ttl: ttl, deadline: deadline)
    }
    if case .extended(let lease) = handOver { return won(lease, "lock taken over") }
    var isAnnounced = false
    while true {
      holder.since = wallClock()
      let contender = holder
      let result = try await persist("lock could not be asked for") {
        deadline throws(LockStoreError) in
        try await self.store.acquire(key, as: contender, ttl: ttl, deadline: deadline)
      }
      switch result {
      case .granted(let lease): return won(lease, "lock acquired")
      case .taken(let owner):
        if owner.record.holder?.podUID == holder.podUID {
          // An answer was lost on its way: the lock has been ours since.
          return try await win(owner.record.token, &holder)
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

  private func won(_ lease: LockLease, _ message: Logger.Message) -> LockLease {
    metrics.acquired.increment()
    metrics.held.record(1)
    logger.notice(message, metadata: ["fencingToken": "\(lease.fencingToken)"])
    show(lease)
    return lease
  }

  /// Records that the application starts, then lets it.
  /// - Returns: false if the lock was lost before that.
  private func open(_ lease: LockLease) async throws -> Bool {
    let isRecorded = try await persist("opening could not be recorded") {
      deadline throws(LockStoreError) in
      try await self.store.recordOpened(
        self.configuration.key, token: lease.token, podUID: self.configuration.podUID,
        deadline: min(deadline, max(self.schedule.giveUp(lease), self.time.now)))
    } giveUp: {
      self.time.now >= self.schedule.giveUp(lease)
    }
    guard isRecorded == true, time.now < schedule.giveUp(lease) else {
      view.drop()
      return false
    }
    view.open()
    logger.notice("gate opened")
    return true
  }

  /// Renews until the lock is lost.
  private func keep(_ first: LockLease, _ holder: LockHolder) async throws -> LossReason {
    var lease = first
    var next = schedule.nextRenewal(after: time.now, jitter: .random(in: -1...1))
    while true {
      let giveUpAt = schedule.giveUp(lease)
      try await time.sleep(until: min(next, giveUpAt))
      let now = time.now
      if now >= giveUpAt { return .expiring }
      do throws(LockStoreError) {
        let known = LockLease.Known(
          token: lease.token, fencingToken: lease.fencingToken, isOpened: view.isOpen)
        let result = try await store.extend(
          configuration.key, known, as: holder, ttl: configuration.expiration,
          deadline: min(giveUpAt, now + Self.storeTime))
        guard case .extended(let renewed) = result else { return .taken }
        metrics.renewed.increment()
        metrics.timeLeft.record(duration: lease.validUntil - now)
        lease = renewed
        show(lease)
        next = schedule.nextRenewal(after: now, jitter: .random(in: -1...1))
      } catch {
        try Task.checkCancellation()
        metrics.failedRenewals.increment()
        logger.warning("lock could not be renewed", metadata: ["reason": "\(error)"])
        next = schedule.nextAttempt(after: time.now)
      }
    }
  }

  private func show(_ lease: LockLease) { view.hold(lease, until: schedule.giveUp(lease)) }

  private func lose(_ reason: LossReason) throws {
    view.drop()
    metrics.lost(reason)
    logger.error("lock lost", metadata: ["reason": "\(reason.rawValue)"])
    if configuration.fence == .restartAll, configuration.isGated {
      throw ExitWithCode(Fence.exitCode)
    }
  }

  /// Asks the store until it answers; the gate stays as it is meanwhile.
  @discardableResult
  private func persist<Answer: Sendable>(
    _ failure: Logger.Message,
    _ question: (_ deadline: Duration) async throws(LockStoreError) -> Answer
  ) async throws -> Answer {
    while true {
      if let answer = try await persist(failure, question, giveUp: { false }) { return answer }
    }
  }

  /// - Returns: nil if it gave up.
  private func persist<Answer: Sendable>(
    _ failure: Logger.Message,
    _ question: (_ deadline: Duration) async throws(LockStoreError) -> Answer,
    giveUp: () -> Bool
  ) async throws -> Answer? {
    while !giveUp() {
      do throws(LockStoreError) {
        return try await question(time.now + Self.storeTime)
      } catch {
        try Task.checkCancellation()
        logger.warning(failure, metadata: ["reason": "\(error)"])
      }
      try await time.sleep(for: Self.retryInterval * Double.random(in: 0.5...1))
    }
    return nil
  }
}
