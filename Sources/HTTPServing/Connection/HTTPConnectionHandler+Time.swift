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

  func setTimer(at deadline: NIODeadline) {
    timer?.cancel()
    timer = channel.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [self] in
      checkTime()
    }
  }

  private func checkTime() {
    timer = nil
    if isClosed { return }
    guard let (deadline, overdue) = next() else {
      // The service is at work; its own time limits hold.
      return setTimer(at: .now() + limits.idleTimeout)
    }
    guard deadline <= .now() else {
      return setTimer(at: min(deadline, .now() + limits.idleTimeout))
    }
    switch overdue {
    case .head:
      headWaiter.take()?.resume(returning: nil)
      refuse(.requestTimeout)
    case .body:
      // So that an answer can still say it.
      bodyWaiter.take()?.resume(throwing: HTTPFault.timedOut)
      setTimer(at: .now() + limits.idleTimeout)
    case .nextRequest, .room, .goodbye: close()
    }
  }

  /// What the client has to do next, and until when.
  private func next() -> (deadline: NIODeadline, overdue: Overdue)? {
    if let lingerStart { return (lingerStart + limits.lingerTimeout, .goodbye) }
    if writeWaiter != nil { return (lastWrite + limits.idleTimeout, .room) }
    if bodyWaiter != nil { return (lastRead + limits.idleTimeout, .body) }
    if headWaiter != nil {
      if let start = meter.start { return (start + limits.headTimeout, .head) }
      return (lastRead + limits.idleTimeout, .nextRequest)
    }
    if case .closing = outbound { return (lastWrite + limits.idleTimeout, .room) }
    return nil
  }
}
