import NIOCore

/// The connections of one event loop to the server, and the requests that wait for one.
///
/// The last one used is used next, so that those that a quiet time does not need grow old and close.
final class HTTPLane: Sendable {
  private struct Local {
    var connections: [ObjectIdentifier: HTTPConnection] = [:]
    var idle: [HTTPConnection] = []
    var opening = 0
    var waiting = CircularBuffer<(exchange: HTTPExchange, deadline: NIODeadline)>()
    var nextSweep: (at: NIODeadline, task: Scheduled<Void>)?
    var isShutDown = false
  }

  private static let sweepInterval = TimeAmount.milliseconds(25)
  private static let idleSweepInterval = TimeAmount.seconds(1)

  let eventLoop: any EventLoop
  private let connector: HTTPConnector
  private let local: NIOLoopBoundBox<Local>

  init(_ connector: HTTPConnector, on eventLoop: any EventLoop) {
    self.connector = connector
    self.eventLoop = eventLoop
    local = NIOLoopBoundBox.makeBoxSendingValue(Local(), eventLoop: eventLoop)
  }

  var configuration: HTTPUpstreamConfiguration { connector.configuration }

  // MARK: From any thread

  func submit(_ exchange: HTTPExchange) {
    if eventLoop.inEventLoop { begin(exchange) } else { eventLoop.execute { self.begin(exchange) } }
  }

  func shutDown() {
    eventLoop.execute {
      self.local.value.isShutDown = true
      for connection in self.local.value.idle { connection.closeIfIdle() }
    }
  }

  func connectionCount() async -> Int {
    (try? await eventLoop.submit { self.local.value.connections.count }.get()) ?? 0
  }

  // MARK: Requests

  private func begin(_ exchange: HTTPExchange) {
    guard !local.value.isShutDown else {
      return exchange.fail(exchange.error(.shutDown, "came after this client was closed"))
    }
    while !exchange.isOver, let connection = local.value.idle.popLast() {
      if connection.start(exchange) { return sweepSoon() }
      // The exchange may have been given up just now, which leaves the connection free.
      if connection.isFree { local.value.idle.append(connection) }
    }
    if exchange.isOver { return }
    guard local.value.waiting.count < configuration.maximumWaiting else {
      return exchange.fail(
        exchange.error(
          .busy, "was refused: \(configuration.maximumWaiting) others wait for a connection"))
    }
    local.value.waiting.append((exchange, waitDeadline(of: exchange)))
    openAsNeeded()
  }

  /// Sends an exchange once more whose connection closed before an answer: on one that is not as
  /// old as that.
  func restart(_ exchange: HTTPExchange) {
    local.value.waiting.prepend((exchange, waitDeadline(of: exchange)))
    openAsNeeded()
  }

  private func waitDeadline(of exchange: HTTPExchange) -> NIODeadline {
    let deadline = eventLoop.now + TimeAmount(configuration.waitTimeout)
    return exchange.request.deadline.map { min($0, deadline) } ?? deadline
  }

  private func openAsNeeded() {
    while local.value.opening < local.value.waiting.count,
      local.value.connections.count + local.value.opening < configuration.maximumConnections
    {
      local.value.opening += 1
      connector.open(for: self)
    }
    sweepSoon()
  }

  // MARK: Connections

  /// From here on the lane counts it, and looks at its deadline.
  func add(_ connection: HTTPConnection) {
    local.value.connections[ObjectIdentifier(connection)] = connection
  }

  /// A connection is ready for its first request.
  func opened(_ connection: HTTPConnection) {
    local.value.opening -= 1
    release(connection)
  }

  /// A connection is ready for a request.
  func release(_ connection: HTTPConnection) {
    while let next = local.value.waiting.popFirst() {
      if connection.start(next.exchange) { return }
      if !next.exchange.isOver {
        // It closes just now.
        return local.value.waiting.prepend(next)
      }
    }
    guard !local.value.isShutDown else { return connection.closeIfIdle() }
    local.value.idle.append(connection)
  }

  func remove(_ connection: HTTPConnection) {
    local.value.connections[ObjectIdentifier(connection)] = nil
    local.value.idle.removeAll { $0 === connection }
    if !local.value.waiting.isEmpty { openAsNeeded() }
  }

  /// One attempt failed: so does the request that has waited longest, and the others try on.
  func couldNotConnect(_ error: any Error) {
    local.value.opening -= 1
    while let next = local.value.waiting.popFirst() {
      if next.exchange.isOver { continue }
      // It may have been on another connection before, which ended without an answer.
      next.exchange.fail(next.exchange.error(.notConnected, "cannot connect", cause: error))
      break
    }
    openAsNeeded()
  }

  // MARK: Deadlines

  private func sweepSoon() { scheduleSweep(in: Self.sweepInterval) }

  private func scheduleSweep(in delay: TimeAmount) {
    let time = eventLoop.now + delay
    if let next = local.value.nextSweep {
      if next.at <= time { return }
      next.task.cancel()
    }
    local.value.nextSweep = (time, eventLoop.scheduleTask(deadline: time) { self.sweep() })
  }

  private func sweep() {
    local.value.nextSweep = nil
    let now = eventLoop.now
    var overdue: [HTTPExchange] = []
    local.value.waiting.removeAll { entry in
      if entry.exchange.isOver { return true }
      guard entry.deadline <= now else { return false }
      overdue.append(entry.exchange)
      return true
    }
    for exchange in overdue {
      exchange.fail(exchange.error(.busy, "waited too long for a connection"))
    }
    var needed = local.value.waiting.count - local.value.opening
    for connection in local.value.connections.values {
      if let deadline = connection.deadline, deadline <= now {
        connection.expire()
      } else if needed > 0, connection.isPaused(at: now) {
        needed -= 1
        connection.giveWay()
      }
    }
    let isBusy =
      local.value.idle.count < local.value.connections.count || !local.value.waiting.isEmpty
    if isBusy {
      sweepSoon()
    } else if !local.value.connections.isEmpty {
      scheduleSweep(in: Self.idleSweepInterval)
    }
  }
}
