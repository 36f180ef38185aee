/// One semaphore as a value: the rules without a store.
struct MemorySemaphore: Sendable {
  private struct Entry {
    var holder: Holder
    var lastHeartbeat: Duration
  }

  /// What is left of a reclaimed permit: who had it may come back.
  private struct Tombstone {
    let reclaimedAt: Duration
    /// Since when another has its slot.
    var retakenAt: Duration?
  }

  private static let tombstones = 1000
  private static let day = Duration.seconds(24 * 3600)

  private(set) var length: Int?
  private(set) var queue = 0
  /// Permits in flight.
  private var entries: [Token: Entry] = [:]
  private var graves: [Token: Tombstone] = [:]
  private var reclaimed = 0
  private var lost = 0
  private var overLength = Duration.zero

  var isInUse: Bool { queue > 0 || !entries.isEmpty }

  mutating func settle(length: Int, staleAfter: Duration, now: Duration) {
    reclaim(staleAfter: staleAfter, now: now)
    self.length = length
    queue = max(0, length - entries.count)
  }

  private mutating func reclaim(staleAfter: Duration, now: Duration) {
    let stale = entries.filter { $0.value.lastHeartbeat < now - staleAfter }
      .sorted { $0.value.lastHeartbeat < $1.value.lastHeartbeat }
    if stale.isEmpty { return }
    for (place, entry) in stale.enumerated() {
      entries[entry.key] = nil
      // The longest silent first, also among those who are reclaimed at once.
      graves[entry.key] = Tombstone(reclaimedAt: now + .microseconds(place))
    }
    reclaimed += stale.count
    graves = graves.filter { ($0.value.retakenAt ?? $0.value.reclaimedAt) > now - Self.day }
    let excess = graves.count - Self.tombstones
    if excess > 0 {
      // First those whose slot is taken again, then the others; of each the oldest.
      func rank(_ grave: Tombstone) -> (Int, Duration) {
        grave.retakenAt.map { (0, $0) } ?? (1, grave.reclaimedAt)
      }
      for (token, _) in graves.sorted(by: { rank($0.value) < rank($1.value) }).prefix(excess) {
        graves[token] = nil
      }
    }
  }

  mutating func pop(
    length: Int, as holder: Holder, lastHeartbeat: Duration, now: Duration
  ) -> Token? {
    guard entries.count < length, queue > 0 else { return nil }
    queue -= 1
    let token = Token.uuid()
    entries[token] = Entry(holder: holder, lastHeartbeat: lastHeartbeat)
    let untaken = graves.filter { $0.value.retakenAt == nil }
    if entries.count + untaken.count > length,
      let oldest = untaken.min(by: { $0.value.reclaimedAt < $1.value.reclaimedAt })?.key
    {
      graves[oldest]?.retakenAt = now
    }
    return token
  }

  mutating func heartbeat(_ token: Token, as holder: Holder, now: Duration) -> Heartbeat {
    guard var entry = entries[token] else { return .lost(overLength: mourn(token, now: now)) }
    guard isOpen(entry, to: holder.podUID) else { return .lost(overLength: .zero) }
    entry.holder = holder
    entry.lastHeartbeat = max(entry.lastHeartbeat, now)
    entries[token] = entry
    return .alive
  }

  mutating func release(_ token: Token, podUID: String?, now: Duration) -> Bool {
    guard let entry = entries[token] else {
      // A Pod whose permit was reclaimed is back here too, if it ends before its next heartbeat.
      if podUID != nil { _ = mourn(token, now: now) }
      return false
    }
    guard isOpen(entry, to: podUID) else { return false }
    entries[token] = nil
    if length.map({ queue + entries.count < $0 }) ?? true { queue += 1 }
    return true
  }

  /// A reclaimed holder is back.
  /// - Returns: for how long another had its slot.
  private mutating func mourn(_ token: Token, now: Duration) -> Duration {
    guard let grave = graves.removeValue(forKey: token) else { return .zero }
    let over = grave.retakenAt.map { now - $0 } ?? .zero
    lost += 1
    overLength += over
    return over
  }

  private func isOpen(_ entry: Entry, to podUID: String?) -> Bool {
    entry.holder.podUID == nil || entry.holder.podUID == podUID
  }

  // MARK: Looking

  func counts(staleAfter: Duration, now: Duration) -> SemaphoreCounts {
    let oldest = entries.min { $0.value.lastHeartbeat < $1.value.lastHeartbeat }
    return SemaphoreCounts(
      length: length, queue: queue, inFlight: entries.count,
      stale: entries.values.count { $0.lastHeartbeat < now - staleAfter },
      oldest: oldest.map { permit($0.key, $0.value, now: now) }, reclaimed: reclaimed, lost: lost,
      overLength: overLength)
  }

  func permit(_ token: Token, now: Duration) -> Permit? {
    entries[token].map { permit(token, $0, now: now) }
  }

  func permits(now: Duration) -> [Permit] {
    entries.sorted {
      ($0.value.lastHeartbeat, $0.key.text) < ($1.value.lastHeartbeat, $1.key.text)
    }.map { permit($0.key, $0.value, now: now) }
  }

  private func permit(_ token: Token, _ entry: Entry, now: Duration) -> Permit {
    Permit(token: token, holder: entry.holder, silence: max(.zero, now - entry.lastHeartbeat))
  }
}
