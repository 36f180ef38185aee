import NIOCore
import NIOEmbedded

extension FakeConnection {
  /// Pretends that the socket takes nothing, or takes it again.
  func setWritable(_ isWritable: Bool) async throws {
    try await channel.testingEventLoop.executeInContext { [channel] in
      channel.isWritable = isWritable
      channel.pipeline.fireChannelWritabilityChanged()
    }
  }

  /// Puts a handler between the client's and the socket.
  func addFirst(_ makeHandler: @escaping @Sendable () -> any ChannelHandler) async throws {
    try await channel.testingEventLoop.executeInContext { [channel] in
      try channel.pipeline.syncOperations.addHandler(makeHandler(), position: .first)
    }
  }
}

/// A socket that was full for a moment: it says so while the write goes on.
final class WritabilityEcho: ChannelOutboundHandler {
  typealias OutboundIn = ByteBuffer

  func flush(context: ChannelHandlerContext) {
    context.flush()
    context.fireChannelWritabilityChanged()
  }
}

/// A socket that turns out to be dead while the write goes on.
final class CloseOnFlush: ChannelOutboundHandler {
  typealias OutboundIn = ByteBuffer

  func flush(context: ChannelHandlerContext) {
    context.close(promise: nil)
  }
}
