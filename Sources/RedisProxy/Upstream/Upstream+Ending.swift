import NIOCore
import RESP

/// How a connection begins and ends.
extension Upstream {
  /// Takes no further commands.
  func retire() {
    guard !isRetiring else { return }
    isRetiring = true
    closeIfRetired()
  }

  func closeIfRetired() {
    if isRetiring, isIdle, owner == nil, state == .open { close() }
  }

  func close() {
    guard let context, state != .closed else { return }
    isRetiring = true
    context.close(promise: nil)
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    if context.channel.isActive { start() }
  }

  func channelActive(context: ChannelHandlerContext) {
    start()
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    end(.unreachable("the server closed the connection"))
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    end(.unreachable(UpstreamFailure.sentence(for: error)))
    context.close(promise: nil)
  }

  func end(_ failure: UpstreamFailure) {
    guard state != .closed else { return }
    let wasOpen = state == .open
    state = .closed
    stalledBy = nil
    inquiry = nil
    context = nil
    if let whenReady {
      self.whenReady = nil
      whenReady(.failure(failure))
    }
    let isHalfway = scanner.isInReply
    let lost = expected
    expected.removeAll()
    for (index, entry) in lost.enumerated() where entry.client?.isGone == false {
      entry.client?.lost(self, entry, isHalfway: isHalfway && index == 0)
    }
    if wasOpen { lane.closed(self) }
    if let owner {
      self.owner = nil
      owner.lostOwn(self)
    }
    let waiting = blocked
    blocked = []
    for client in waiting { lane.advanceLater(client) }
  }
}
