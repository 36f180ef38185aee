import NIOCore

/// Clients that do not read, and servers that do not.
extension Upstream {
  /// Stops reading until the client has taken what it has.
  func stall(for client: ClientHandler) {
    guard stalledBy == nil else { return }
    stalledBy = client
    stalledSince = lane.now
    client.stalls.append(self)
  }

  /// The client reads again, or is gone.
  func resume() {
    stalledBy = nil
    if owner == nil, isSharable { lane.usableAgain(self) }
    guard isReadSuppressed, let context else { return }
    isReadSuppressed = false
    context.read()
  }

  func read(context: ChannelHandlerContext) {
    if stalledBy != nil {
      isReadSuppressed = true
    } else {
      context.read()
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable, !blocked.isEmpty {
      let waiting = blocked
      blocked = []
      for client in waiting { lane.advanceLater(client) }
    }
    context.fireChannelWritabilityChanged()
  }

  /// Clients other than the one that stalls it wait for replies.
  var keepsOthersWaiting: Bool {
    expected.contains { $0.client != nil && $0.client !== stalledBy && $0.client?.isGone == false }
  }
}
