import Logging
import NIOCore

/// The connections of one kind on one event loop: those that clients share, and those that wait to
/// become some client's own.
final class UpstreamPool {
  /// How long a read waits for a replica's first connection.
  private static let readerPatience = TimeAmount.milliseconds(250)

  let key: UpstreamKey
  private unowned let lane: ProxyLane

  /// Open ones that take commands, and those that only answer the ones they have.
  private(set) var shared: [Upstream] = []
  private(set) var idle: [Upstream] = []
  /// In use by one client each.
  private(set) var owned = 0
  private var waiters: [ClientHandler] = []
  private var isConnecting = false
  private var connectingSince = NIODeadline.distantPast
  private var failures = 0
  private var retryAt = NIODeadline.distantPast
  private var turn = 0
  private(set) var lastUse: NIODeadline

  init(key: UpstreamKey, lane: ProxyLane) {
    self.key = key
    self.lane = lane
    lastUse = lane.now
  }

  var isUnused: Bool {
    shared.isEmpty && idle.isEmpty && owned == 0 && waiters.isEmpty && !isConnecting
  }

  // MARK: Shared

  /// A connection that takes commands; clients are spread over those that there are.
  func sharable() -> Upstream? {
    lastUse = lane.now
    let usable = shared.filter(\.isSharable)
    guard !usable.isEmpty else { return nil }
    turn = (turn + 1) % usable.count
    return usable[turn]
  }

  /// Whether a new connection may come soon, so that it is worth waiting for.
  var isHopeful: Bool {
    failures == 0 && (!isConnecting || lane.now - connectingSince < Self.readerPatience)
  }

  /// Calls the client once there is a connection, or none can be had.
  func wait(_ client: ClientHandler) {
    waiters.append(client)
    connect()
    guard key.role == .reader else { return }
    // The primary can answer, too.
    lane.eventLoop.assumeIsolated().scheduleTask(in: Self.readerPatience) { [weak self] in
      guard let self, self.waiters.contains(where: { $0 === client }) else { return }
      self.forget(client)
      client.sharedReady(.reader, .unreachable("no replica has answered in time"))
    }
  }

  func forget(_ client: ClientHandler) { waiters.removeAll { $0 === client } }

  /// Opens a shared connection unless that is under way.
  func connect() {
    guard !isConnecting else { return }
    isConnecting = true
    connectingSince = lane.now
    let delay = retryAt - lane.now
    guard delay <= .zero else {
      lane.eventLoop.assumeIsolated().scheduleTask(in: delay) { [weak self] in self?.attempt() }
      return
    }
    attempt()
  }

  private func attempt() {
    guard !lane.isClosed else { return }
    let used = shared.filter(\.isSharable).map(\.address)
    lane.open(key, avoiding: used) { [weak self] result in
      guard let self else { return }
      self.isConnecting = false
      switch result {
      case .success(let upstream):
        self.logSuccess(upstream)
        self.failures = 0
        self.adopt(upstream)
      case .failure(let failure):
        self.failed(failure)
      }
    }
  }

  /// Takes an open connection for sharing.
  func adopt(_ upstream: Upstream) {
    lastUse = lane.now
    shared.append(upstream)
    if key.role == .primary, shared.count == 1 { lane.refreshTable(key) }
    let waiting = waiters
    waiters = []
    for client in waiting { client.sharedReady(key.role, nil) }
  }

  /// Takes a connection that was opened to prove something: shared if there is none yet, else kept
  /// for a client that needs its own.
  func welcome(_ upstream: Upstream) {
    if shared.contains(where: \.isSharable) {
      owned += 1
      giveBack(upstream)
    } else {
      adopt(upstream)
    }
  }

  private func logSuccess(_ upstream: Upstream) {
    guard failures > 0 else { return }
    lane.logger.notice(
      "There is a connection again",
      metadata: ["upstream": "\(key.role.name)", "server": "\(upstream.address)"])
  }

  private func failed(_ failure: UpstreamFailure) {
    // One more server would have been good, that is all.
    guard !shared.contains(where: \.isSharable) else { return }
    failures += 1
    // Not for each of the attempts that follow.
    if failures == 1 {
      lane.logger.warning(
        "There is no connection",
        metadata: ["upstream": "\(key.role.name)", "reason": "\(failure.reason)"])
    }
    retryAt = lane.now + lane.backoff(after: failures)
    if case .refused = failure {
      let waiting = waiters
      waiters = []
      for client in waiting { client.sharedReady(key.role, failure) }
      return
    }
    let now = lane.now
    let late = waiters.filter { $0.waitDeadline <= now || key.role == .reader }
    waiters.removeAll { client in late.contains { $0 === client } }
    for client in late { client.sharedReady(key.role, failure) }
    if !waiters.isEmpty { connect() }
  }

  // MARK: Own connections

  /// A clean connection for one client, at once or later; the client gives it back with
  /// ``giveBack(_:)`` if it is clean, else it closes it.
  func acquireOwn(_ done: @escaping (Result<Upstream, UpstreamFailure>) -> Void) {
    lastUse = lane.now
    owned += 1
    while let upstream = idle.popLast() {
      if upstream.isOpen, !upstream.isRetiring { return done(.success(upstream)) }
    }
    lane.open(key, avoiding: []) { [weak self] result in
      if case .failure = result { self?.owned -= 1 }
      done(result)
    }
  }

  /// Takes a connection back that is as clean as it was given.
  func giveBack(_ upstream: Upstream) {
    owned -= 1
    upstream.owner = nil
    upstream.idleSince = lane.now
    guard upstream.isOpen else { return }
    let limit = lane.configuration.maximumIdleConnections
    if upstream.isRetiring || !upstream.isIdle || idle.count >= limit {
      upstream.close()
    } else {
      idle.append(upstream)
    }
  }

  /// Notes that a client closes its own connection.
  func drop(_ upstream: Upstream) {
    owned -= 1
    upstream.owner = nil
    upstream.close()
  }

  /// A connection has ended by itself.
  func closed(_ upstream: Upstream) {
    shared.removeAll { $0 === upstream }
    idle.removeAll { $0 === upstream }
  }

  // MARK: Upkeep

  /// Retires what is too old or unused, and keeps as many ready as wanted.
  func keepUp(now: NIODeadline) {
    let configuration = lane.configuration
    for upstream in shared + idle where upstream.retireAt <= now { upstream.retire() }
    for upstream in shared { upstream.closeIfRetired() }
    idle.removeAll { upstream in
      let isLate = upstream.idleSince + configuration.maximumIdleTime <= now
      guard upstream.isRetiring || (isLate && idle.count > configuration.minimumIdleConnections)
      else { return false }
      upstream.close()
      return true
    }
    if key == UpstreamKey(role: .primary), idle.count < configuration.minimumIdleConnections {
      lane.open(key, avoiding: []) { [weak self] result in
        guard case .success(let upstream) = result, let self else { return }
        self.owned += 1
        self.giveBack(upstream)
      }
    }
    // Clients that come back find the configured user's first connections still there.
    if key.identity != .proxy || key.database != 0, lastUse + configuration.maximumIdleTime <= now {
      for upstream in shared where upstream.isIdle { upstream.retire() }
    }
    for upstream in shared {
      guard let client = upstream.stalledBy, upstream.keepsOthersWaiting,
        upstream.stalledSince + ProxyLane.patience <= now
      else { continue }
      lane.metrics.slowClients += 1
      client.close()
    }
  }

  /// All connections to an address that is not in use any more.
  func retire(where isOutdated: (Upstream) -> Bool) {
    for upstream in shared + idle where isOutdated(upstream) { upstream.retire() }
    idle.removeAll { $0.isRetiring }
  }

  func closeAll() {
    for upstream in shared + idle { upstream.close() }
  }
}
