import NIOCore

/// The connections of one kind on one event loop.
final class UpstreamPool {
  let key: UpstreamKey
  let shared: SharedConnections
  let own: OwnConnections

  init(key: UpstreamKey, lane: ProxyLane) {
    self.key = key
    shared = SharedConnections(key: key, lane: lane)
    own = OwnConnections(key: key, lane: lane)
  }

  var isUnused: Bool { shared.isUnused && own.isUnused }
  var lastUse: NIODeadline { max(shared.lastUse, own.lastUse) }

  /// Takes a connection that was opened to prove something: shared if there is none yet, else kept
  /// for a client that needs its own.
  func welcome(_ upstream: Upstream) {
    if shared.hasUsable { own.keep(upstream) } else { shared.adopt(upstream) }
  }

  /// A connection has ended by itself.
  func closed(_ upstream: Upstream) {
    shared.closed(upstream)
    own.closed(upstream)
  }

  /// Retires what is too old or unused, and keeps as many ready as wanted.
  func keepUp(now: NIODeadline) {
    shared.keepUp(now: now)
    own.keepUp(now: now)
  }

  /// All connections to an address that is not in use any more.
  func retire(where isOutdated: (Upstream) -> Bool) {
    shared.retire(where: isOutdated)
    own.retire(where: isOutdated)
  }

  func closeAll() {
    for upstream in shared.all { upstream.close() }
    own.closeAll()
  }
}
