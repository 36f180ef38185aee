import NIOCore

/// The connections of one kind that belong to one client each for a while: those in use, those that
/// wait for a client, and the clients that wait for one.
///
/// However many clients ask at once, only a few connections are being made at one time, and only
/// one, after a pause that grows, as long as that fails.
final class OwnConnections {
  /// Connections that are being made at one time.
  private static let openingLimit = 32

  struct Request {
    let client: ClientHandler
    let deadline: NIODeadline
  }

  let key: UpstreamKey
  unowned let lane: ProxyLane

  /// Clean, and nobody's.
  var idle: [Upstream] = []
  var lent: [ObjectIdentifier: Upstream] = [:]
  var requests = CircularBuffer<Request>(initialCapacity: 1)
  var opening = 0
  private var failures = 0
  var retryAt = NIODeadline.distantPast
  private var isRetryScheduled = false
  private(set) var lastUse: NIODeadline

  init(key: UpstreamKey, lane: ProxyLane) {
    self.key = key
    self.lane = lane
    lastUse = lane.now
  }

  /// How many are in use by a client.
  var lentCount: Int { lent.count }
  var isUnused: Bool { idle.isEmpty && lent.isEmpty && requests.isEmpty && opening == 0 }

  // MARK: For clients

  /// A clean connection, if there is one; the client gives it back with ``giveBack(_:)`` if it is
  /// as clean as it came, else with ``drop(_:)``.
  func take(for client: ClientHandler) -> Upstream? {
    lastUse = lane.now
    while let upstream = idle.popLast() {
      if upstream.isOpen, !upstream.isRetiring {
        lend(upstream, to: client)
        return upstream
      }
    }
    return nil
  }

  /// Calls the client once there is a connection, or none can be had.
  func request(for client: ClientHandler, until deadline: NIODeadline) {
    lastUse = lane.now
    requests.append(Request(client: client, deadline: deadline))
    openMore()
  }

  private func lend(_ upstream: Upstream, to client: ClientHandler) {
    upstream.owner = client
    lent[ObjectIdentifier(upstream)] = upstream
  }

  /// Takes a connection back that is as clean as it was lent.
  func giveBack(_ upstream: Upstream) {
    lent[ObjectIdentifier(upstream)] = nil
    upstream.owner = nil
    keep(upstream)
  }

  /// Closes a connection on which its client may have left something.
  func drop(_ upstream: Upstream) {
    lent[ObjectIdentifier(upstream)] = nil
    upstream.owner = nil
    upstream.close()
  }

  /// Gives a clean connection to whoever waits, else keeps it.
  func keep(_ upstream: Upstream) {
    guard upstream.isOpen else { return }
    // One that a slow client has stopped would stop the next.
    guard !upstream.isRetiring, upstream.isIdle, upstream.stalledBy == nil else {
      return upstream.close()
    }
    if let request = nextRequest() {
      lend(upstream, to: request.client)
      return request.client.ownReady(.success(upstream), from: self)
    }
    guard idle.count < lane.configuration.maximumIdleConnections else { return upstream.close() }
    upstream.idleSince = lane.now
    idle.append(upstream)
  }

  private func nextRequest() -> Request? {
    while let request = requests.popFirst() {
      if request.client.wait == .own, !request.client.isGone { return request }
    }
    return nil
  }

  // MARK: Connecting

  func openMore() {
    while !lane.isClosed, opening < min(requests.count, failures > 0 ? 1 : Self.openingLimit) {
      let delay = retryAt - lane.now
      guard delay <= .zero else { return openLater(delay) }
      open()
    }
  }

  private func openLater(_ delay: TimeAmount) {
    guard !isRetryScheduled else { return }
    isRetryScheduled = true
    lane.eventLoop.assumeIsolated().scheduleTask(in: delay) { [weak self] in
      self?.isRetryScheduled = false
      self?.openMore()
    }
  }

  func open() {
    opening += 1
    lane.open(key, avoiding: []) { [weak self] result in
      guard let self else {
        if case .success(let upstream) = result { upstream.close() }
        return
      }
      self.opening -= 1
      switch result {
      case .success(let upstream):
        self.failures = 0
        self.keep(upstream)
      case .failure(let failure):
        self.failures += 1
        self.retryAt = self.lane.now + self.lane.backoff(after: self.failures)
        self.refuse(failure)
      }
      self.openMore()
    }
  }

  /// What the server has refused it refuses to all; for a server that is away clients wait.
  private func refuse(_ failure: UpstreamFailure) {
    let now = lane.now
    let isFinal = if case .refused = failure { true } else { false }
    let waiting = requests
    requests.removeAll()
    for request in waiting where request.client.wait == .own && !request.client.isGone {
      if isFinal || request.deadline <= now {
        request.client.ownReady(.failure(failure), from: self)
      } else {
        requests.append(request)
      }
    }
  }
}
