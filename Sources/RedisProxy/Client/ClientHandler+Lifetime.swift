import NIOCore

extension ClientHandler {
  /// There is room for it now.
  func admitted() {
    guard wait == .admission else { return }
    wait = .none
    // A channel that is not active yet reads when it is.
    resumeReading()
    lane.advanceLater(self)
  }

  /// There was no room for too long.
  func refuseAdmission() {
    guard let context else { return }
    let text = ByteBuffer(string: "-ERR max number of clients reached\r\n")
    context.writeAndFlush(wrapOutboundOut(text), promise: nil)
    context.close(promise: nil)
  }

  /// The proxy stops: it takes what has been received, and closes when that is answered.
  func end() {
    isEnding = true
    switch session.pin {
    case .none: lane.advanceLater(self)
    // What waits for others, and what lasts as long as the connection, has no end of its own.
    case .once where !isForwarding, .tunnel: close()
    case .once, .transaction: lane.advanceLater(self)
    }
  }
}
