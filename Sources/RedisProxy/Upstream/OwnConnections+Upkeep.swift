import NIOCore

/// What becomes of connections that are too old, unused, or to the wrong server.
extension OwnConnections {
  /// A connection has ended by itself.
  func closed(_ upstream: Upstream) { idle.removeAll { $0 === upstream } }

  /// Those in use are closed when they are given back.
  func retire(where isOutdated: (Upstream) -> Bool) {
    for upstream in lent.values where isOutdated(upstream) { upstream.retire() }
    closeIdle(where: isOutdated)
  }

  private func closeIdle(where isUnwanted: (Upstream) -> Bool) {
    // Closing one calls back, which must find the list as it will be.
    let unwanted = idle.filter(isUnwanted)
    guard !unwanted.isEmpty else { return }
    idle.removeAll { upstream in unwanted.contains { $0 === upstream } }
    for upstream in unwanted { upstream.close() }
  }

  /// Retires what is too old, closes what has idled for too long, and keeps as many ready as wanted.
  func keepUp(now: NIODeadline) {
    let configuration = lane.configuration
    retire { $0.isRetiring || $0.retireAt <= now }
    // The first ones have idled longest.
    var surplus = idle.count - configuration.minimumIdleConnections
    closeIdle { upstream in
      guard surplus > 0, upstream.idleSince + configuration.maximumIdleTime <= now else {
        return false
      }
      surplus -= 1
      return true
    }
    refuseLate(at: now)
    openMore()
    if key == UpstreamKey(role: .primary), requests.isEmpty, opening == 0, retryAt <= now,
      idle.count < configuration.minimumIdleConnections
    {
      open()
    }
  }

  private func refuseLate(at now: NIODeadline) {
    while let first = requests.first, first.deadline <= now {
      requests.removeFirst()
      guard first.client.wait == .own, !first.client.isGone else { continue }
      first.client.ownReady(
        .failure(.unreachable("none could be made in time")), from: self)
    }
  }

  func closeAll() {
    for upstream in idle { upstream.close() }
  }
}
