import Synchronization

/// Who leads the settling of a key, and who rides along.
///
/// Per key at most one pass is under way in this process. Who comes while there is none leads the
/// next; who comes later boards until the pass departs, that is until the queue is settled, and
/// gets its result. Who comes after that waits for the next pass. A leader that gives up, by its
/// deadline or by cancellation, hands on to the one who waits longest.
final class SharedPasses: Sendable {
  enum Turn: Sendable {
    /// The caller is the leader: it ends with ``leave(_:)`` or ``fail(_:_:isOver:)``.
    case lead
    /// Another led.
    case ride(Result<SemaphoreCounts, SemaphoreError>)
  }

  private struct Rider {
    let id: UInt64
    let length: Int
    let continuation: CheckedContinuation<Turn, Never>
  }

  private struct Line {
    /// Of the pass that has departed.
    var riding: [Rider] = []
    var waiting: [Rider] = []
    /// Who has the lock that the leader waits for.
    var owner: LockOwnership?

    mutating func remove(_ id: UInt64) -> Rider? {
      for list in [\Line.riding, \.waiting] as [WritableKeyPath] {
        if let place = self[keyPath: list].firstIndex(where: { $0.id == id }) {
          return self[keyPath: list].remove(at: place)
        }
      }
      return nil
    }
  }

  private struct State {
    var lines: [NamespacedKey: Line] = [:]
    var lastID: UInt64 = 0
  }

  private let time: any MonotonicTime
  private let state = Mutex(State())

  init(time: any MonotonicTime) { self.time = time }

  /// Whether a failure at `now` may be the deadline's: clocks of timers are not exact.
  static func isOver(_ deadline: Duration, _ now: Duration) -> Bool {
    now + .milliseconds(20) >= deadline
  }

  // MARK: Waiting

  func turn(of key: NamespacedKey, length: Int, deadline: Duration) async -> Turn {
    let id: UInt64? = state.withLock { state in
      if Self.open(key, &state) { return nil }
      state.lastID += 1
      return state.lastID
    }
    guard let id else { return .lead }
    return await withTaskGroup(of: Void.self) { group in
      group.addTask {
        guard (try? await self.time.sleep(until: deadline)) != nil else { return }
        self.giveUp(key, id) { Self.late(key, $0) }
      }
      let turn = await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          let rider = Rider(id: id, length: length, continuation: continuation)
          if let turn = board(key, rider, deadline) { continuation.resume(returning: turn) }
        }
      } onCancel: {
        giveUp(key, id) { _ in Self.cancelled(key) }
      }
      group.cancelAll()
      return turn
    }
  }

  /// - Returns: the turn, if it need not be waited for.
  private func board(_ key: NamespacedKey, _ rider: Rider, _ deadline: Duration) -> Turn? {
    state.withLock { state in
      // Whoever gives up before this finds nobody to resume, and who does so later finds the rider.
      if Task.isCancelled { return .ride(.failure(Self.cancelled(key))) }
      if time.now >= deadline { return .ride(.failure(Self.late(key, nil))) }
      if Self.open(key, &state) { return .lead }
      state.lines[key]?.waiting.append(rider)
      return nil
    }
  }

  private static func open(_ key: NamespacedKey, _ state: inout State) -> Bool {
    guard state.lines[key] == nil else { return false }
    state.lines[key] = Line()
    return true
  }

  private func giveUp(
    _ key: NamespacedKey, _ id: UInt64, _ error: (LockOwnership?) -> SemaphoreError
  ) {
    let (rider, owner) = state.withLock { ($0.lines[key]?.remove(id), $0.lines[key]?.owner) }
    rider?.continuation.resume(returning: .ride(.failure(error(owner))))
  }

  /// How many wait for a key's pass or ride along, without the leader; nil if there is no leader.
  func followers(of key: NamespacedKey) -> Int? {
    state.withLock { state in
      state.lines[key].map { $0.riding.count + $0.waiting.count }
    }
  }

  // MARK: Leading

  /// Notes who has the lock, for those who are late because of it.
  func wait(_ key: NamespacedKey, for owner: LockOwnership?) {
    state.withLock { $0.lines[key]?.owner = owner }
  }

  /// The queue is about to be settled for all who have come so far.
  /// - Returns: the length that the last of them stated; nil if nobody came since the leader.
  func depart(_ key: NamespacedKey) -> Int? {
    state.withLock { state in
      guard let line = state.lines[key] else { return nil }
      state.lines[key] = Line(riding: line.waiting)
      return line.waiting.last?.length
    }
  }

  /// The queue is settled.
  func arrive(_ key: NamespacedKey, _ counts: SemaphoreCounts) {
    let riders = state.withLock { state in
      let riders = state.lines[key]?.riding ?? []
      state.lines[key]?.riding = []
      return riders
    }
    for rider in riders { rider.continuation.resume(returning: .ride(.success(counts))) }
  }

  /// The lock is let go of: the next pass may begin.
  func leave(_ key: NamespacedKey) {
    let next = state.withLock { Self.handOn(key, &$0) }
    next?.continuation.resume(returning: .lead)
  }

  /// The pass failed. An error that another leader would meet too is everybody's; one that is only
  /// the leader's, who gave up or came to its deadline, makes another the leader.
  func fail(_ key: NamespacedKey, _ error: SemaphoreError, isOver deadline: Duration) {
    let isOwn =
      switch error {
      case .store(let error):
        error.kind != .noQuorum || Task.isCancelled || Self.isOver(deadline, time.now)
      case .lockHeld, .busy: true
      case .foreignLock: false
      }
    let (failed, next): ([Rider], Rider?) = state.withLock { state in
      guard let line = state.lines[key] else { return ([], nil) }
      let all = line.riding + line.waiting
      state.lines[key] = Line(waiting: isOwn ? all : [], owner: line.owner)
      return (isOwn ? [] : all, Self.handOn(key, &state))
    }
    for rider in failed { rider.continuation.resume(returning: .ride(.failure(error))) }
    next?.continuation.resume(returning: .lead)
  }

  private static func handOn(_ key: NamespacedKey, _ state: inout State) -> Rider? {
    guard var line = state.lines[key], !line.waiting.isEmpty else {
      state.lines[key] = nil
      return nil
    }
    let next = line.waiting.removeFirst()
    state.lines[key] = line
    return next
  }
}

extension SharedPasses {
  private static func cancelled(_ key: NamespacedKey) -> SemaphoreError {
    .store(StoreError(.cancelled, key: key, quorum: 1, members: 1))
  }

  /// What a caller is told whose deadline came while it waited.
  static func late(_ key: NamespacedKey, _ owner: LockOwnership?) -> SemaphoreError {
    guard let owner else { return .busy(key) }
    return .lockHeld(key, by: owner.record, timeLeft: owner.timeLeft)
  }
}
