import Logging
import NIOCore

/// The connections of one kind that clients share, and the clients that wait for one.
final class SharedConnections {
  /// How long a read waits for a replica's first connection.
  private static let readerPatience = TimeAmount.milliseconds(250)

  private let key: UpstreamKey
  private unowned let lane: ProxyLane

  /// Open ones that take commands, and those that only answer the ones they have.
  private(set) var all: [Upstream] = []
  private(set) var lastUse: NIODeadline
  private var waiters: [ClientHandler] = []
  private var isConnecting = false
  private var connectingSince = NIODeadline.distantPast
  private var failures = 0
  private var retryAt = NIODeadline.distantPast
  private var turn = 0

  init(key: UpstreamKey, lane: ProxyLane) {
    self.key = key
    self.lane = lane
    lastUse = lane.now
  }

  var isUnused: Bool { all.isEmpty && waiters.isEmpty && !isConnecting }
  var hasUsable: Bool { all.contains(where: \.isSharable) }

  /// A connection that takes commands; clients are spread over those that there are.
  func usable() -> Upstream? {
    lastUse = lane.now
    let usable = all.filter(\.isSharable)
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
      self.waiters.removeAll { $0 === client }
      client.sharedReady(.reader, .unreachable("no replica has answered in time"))
    }
  }

  /// Lets those go on who wait.
  func wake(_ failure: UpstreamFailure? = nil) {
    guard !waiters.isEmpty else { return }
    let waiting = waiters
    waiters = []
    for client in waiting { client.sharedReady(key.role, failure) }
  }

  /// Tells those who have waited for too long.
  private func refuseLate(_ failure: UpstreamFailure) {
    let now = lane.now
    let late = waiters.filter { $0.waitDeadline <= now || $0.isGone }
    waiters.removeAll { client in late.contains { $0 === client } }
    for client in late { client.sharedReady(key.role, failure) }
  }

  // MARK: Connecting

  /// Opens a connection unless that is under way.
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
    // Meanwhile a login may have brought one.
    if key.role == .primary, all.contains(where: { $0.isSharable && !lane.isStandIn($0) }) {
      isConnecting = false
      return wake()
    }
    let used = all.filter(\.isSharable).map(\.address)
    lane.open(key, avoiding: used) { [weak self] result in
      guard let self else {
        if case .success(let upstream) = result { upstream.close() }
        return
      }
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
    all.append(upstream)
    if key.role == .primary, !lane.isStandIn(upstream) { retire(where: lane.isStandIn) }
    if key.role == .primary, all.count == 1 { lane.refreshTable(key) }
    wake()
  }

  private func logSuccess(_ upstream: Upstream) {
    guard failures > 0 else { return }
    lane.logger.notice(
      "There is a connection again",
      metadata: ["upstream": "\(key.role.name)", "server": "\(upstream.address)"])
  }

  private func failed(_ failure: UpstreamFailure) {
    // One more server would have been good, that is all.
    guard !hasUsable else { return wake() }
    failures += 1
    // Not for each of the attempts that follow.
    if failures == 1 {
      lane.logger.warning(
        "There is no connection",
        metadata: ["upstream": "\(key.role.name)", "reason": "\(failure.reason)"])
    }
    retryAt = lane.now + lane.backoff(after: failures)
    if case .refused = failure { return wake(failure) }
    if key.role == .reader { return wake(failure) }
    refuseLate(failure)
    if !waiters.isEmpty { connect() }
  }

  // MARK: Upkeep

  /// A connection has ended by itself.
  func closed(_ upstream: Upstream) { all.removeAll { $0 === upstream } }

  func retire(where isOutdated: (Upstream) -> Bool) {
    for upstream in all where isOutdated(upstream) { upstream.retire() }
  }

  func keepUp(now: NIODeadline) {
    let configuration = lane.configuration
    retire { $0.retireAt <= now }
    for upstream in all { upstream.closeIfRetired() }
    // Clients that come back find the configured user's first connections still there.
    if key.identity != .proxy || key.database != 0, lastUse + configuration.maximumIdleTime <= now {
      retire(where: \.isIdle)
    }
    for upstream in all {
      guard let client = upstream.stalledBy, upstream.keepsOthersWaiting,
        upstream.stalledSince + ProxyLane.patience <= now
      else { continue }
      lane.metrics.slowClients += 1
      client.close()
    }
    if hasUsable { wake() } else { refuseLate(.unreachable("it has not answered in time")) }
  }
}
