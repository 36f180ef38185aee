import NIOCore
import NIOHTTP1

/// One timer for each connection, which looks what it is for only when it fires: a request costs
/// no more than notes of the time.
extension HTTPConnectionHandler {
  private enum Overdue {
    case head
    case nextRequest
    case body
    case room
    case goodbye
  }

  /// No time limit is seen later than it ends: none is shorter than this, once it runs.
  private var step: TimeAmount { min(limits.headTimeout, limits.idleTimeout) }

  func setTimer(at deadline: NIODeadline) {
    timer?.cancel()
    timer = channel.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [self] in
      checkTime()
    }
  }

  private func checkTime() {
    timer = nil
    if isClosed { return }
    defer { if timer == nil, !isClosed { setTimer(at: .now() + step) } }
    // Without anything to wait for, the service is at work; its own time limits hold.
    guard let (deadline, overdue) = next() else { return }
    guard deadline <= .now() else { return setTimer(at: min(deadline, .now() + step)) }
    switch overdue {
    case .head:
      refuse(.requestTimeout)
      headWaiter.take()?.resume(returning: nil)
    case .body:
      // So that an answer can still say it.
      bodyWaiter.take()?.resume(throwing: HTTPFault.timedOut)
    case .room:
      // Slow is not stuck: what the client takes shows in the kernel before it shows here.
      let unsent = bytesUnsent
      if unsent == lastUnsent { return close() }
      lastUnsent = unsent
      lastWrite = .now()
    case .nextRequest, .goodbye: close()
    }
  }

  /// What the client has to do next, and until when.
  private func next() -> (deadline: NIODeadline, overdue: Overdue)? {
    if let lingerStart { return (lingerStart + limits.lingerTimeout, .goodbye) }
    if writeWaiter != nil { return (lastWrite + limits.idleTimeout, .room) }
    if bodyWaiter != nil { return (lastRead + limits.idleTimeout, .body) }
    if headWaiter != nil {
      let isFirst = request == nil
      if let start = meter.start { return ((isFirst ? opened : start) + limits.headTimeout, .head) }
      if isDraining { return (lastWrite + limits.idleTimeout, .room) }
      if isFirst { return (opened + step, .nextRequest) }
      return (lastRead + limits.idleTimeout, .nextRequest)
    }
    if case .closing = outbound { return (lastWrite + limits.idleTimeout, .room) }
    return nil
  }
}
