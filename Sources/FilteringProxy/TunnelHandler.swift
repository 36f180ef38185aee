import NIOCore

/// One end of a tunnel: what is read here is written at the other end, and nothing is read while the
/// other end takes nothing. Both live on one event loop.
final class TunnelHandler: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private var other: TunnelHandler?
  private var context: ChannelHandlerContext?
  /// A read that waits until the other end is writable.
  private var isReadHeld = false

  static func pair() -> (TunnelHandler, TunnelHandler) {
    let (left, right) = (TunnelHandler(), TunnelHandler())
    (left.other, right.other) = (right, left)
    return (left, right)
  }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
    other = nil
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard let context = other?.context else { return }
    context.write(wrapOutboundOut(unwrapInboundIn(data)), promise: nil)
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    other?.context?.flush()
    context.fireChannelReadComplete()
  }

  func read(context: ChannelHandlerContext) {
    if other?.context?.channel.isWritable == true {
      context.read()
    } else {
      isReadHeld = true
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { other?.readOn() }
    context.fireChannelWritabilityChanged()
  }

  private func readOn() {
    guard isReadHeld else { return }
    isReadHeld = false
    context?.read()
  }

  /// One side has said all: the other is told so, and may still answer.
  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed = event {
      // All that was read before is written first; on a closed channel there is nobody to tell.
      other?.context?.close(mode: .output, promise: nil)
    }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    other?.context?.close(promise: nil)
    context.fireChannelInactive()
  }

  /// A reset, or a write into one.
  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // Half of the connection may have been closed before by the other side.
    if case ChannelError.outputClosed = error { return }
    context.close(promise: nil)
  }
}
