import NIOCore

/// What happens every second, whatever passes.
extension ProxyLane {
  func backoff(after failures: Int) -> TimeAmount {
    let base = min(2000, 50 << min(failures - 1, 6))
    return .milliseconds(Int64(Double(base) * Double.random(in: 0.75...1.25)))
  }

  /// When a connection that is opened now has lived long enough.
  func retirement() -> NIODeadline {
    guard let lifetime = configuration.maximumLifetime else { return .distantFuture }
    let jitter = configuration.jitter
    let factor = Double.random(in: (1 - jitter)...(1 + jitter))
    return now + .nanoseconds(Int64(Double(lifetime.nanoseconds) * factor))
  }

  func scheduleUpkeep() {
    guard !isClosed else { return }
    eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) {
      self.keepUp()
      self.scheduleUpkeep()
    }
  }

  private func keepUp() {
    let now = now
    for (key, pool) in pools {
      pool.keepUp(now: now)
      if pool.isUnused, pool.lastUse + configuration.maximumIdleTime <= now { pools[key] = nil }
    }
    for role in UpstreamRole.allCases where role == .primary || splitsReads {
      followNames(role, now)
    }
    replaceStandIns()
    if splitsReads { checkReplicas() }
    admitWaiting()
    refuseLateClients(at: now)
  }

  /// Follows what the name of a role stands for: connections to addresses that are gone retire, and
  /// new ones are connected to.
  private func followNames(_ role: UpstreamRole, _ now: NIODeadline) {
    names.look(role, until: now + configuration.connectTimeout) { [self] in
      guard let book = books[role], !isClosed else { return }
      for pool in pools.values where pool.key.role == role {
        pool.retire { !book.contains($0.address) }
        let wanted = role == .primary ? 1 : wantedReaders(book, now)
        let isInUse =
          pool.lastUse + configuration.maximumIdleTime > now || pool.key == .init(role: role)
        if isInUse, pool.shared.all.filter(\.isSharable).count < wanted {
          pool.shared.connect()
        }
      }
    }
  }

  /// One connection to each server, or to each near one if there are any.
  private func wantedReaders(_ book: AddressBook, _ now: NIODeadline) -> Int {
    let good = book.addresses.filter { !book.isPenalized($0, at: now) }
    let near = good.filter { address in book.near.contains { $0.contains(address) } }
    return max(1, min(16, near.isEmpty ? good.count : near.count))
  }
}
