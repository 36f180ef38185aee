import NIOCore

/// Answers the server's PING frames before the HTTP/2 handler counts them.
///
/// etcd's gRPC library measures a busy connection with PINGs, hundreds per second. SwiftNIO's HTTP/2
/// handler takes more than 200 within 30 seconds for an attack and closes the connection, and the
/// gRPC transport has no setting for that. All other frames pass as they are. What an answer costs
/// is bounded by what the server sends, which is the one that we chose to talk to.
///
/// Frames: RFC 9113, sections 4.1 and 6.7.
final class PingAnswering: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private static let headerBytes = 9
  private static let pingBytes = 8
  private static let pingType: UInt8 = 6
  private static let acknowledgement: UInt8 = 1

  /// What is still to come of the frame that is passing.
  private var passing = 0
  /// The start of a frame whose header, or whose PING, is not complete.
  private var rest: ByteBuffer?
  private var hasAnswered = false

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var input = unwrapInboundIn(data)
    if var rest = rest.take() {
      rest.writeBuffer(&input)
      input = rest
    }
    var start = input.readerIndex
    var index = start
    let end = input.writerIndex
    func pass() {
      if index > start, let slice = input.getSlice(at: start, length: index - start) {
        context.fireChannelRead(wrapInboundOut(slice))
      }
    }
    while index < end {
      if passing > 0 {
        let count = min(passing, end - index)
        passing -= count
        index += count
        continue
      }
      guard end - index >= Self.headerBytes, let header = header(in: input, at: index) else {
        break
      }
      guard header.isPing else {
        index += Self.headerBytes
        passing = header.length
        continue
      }
      guard end - index >= Self.headerBytes + Self.pingBytes,
        let opaque = input.getSlice(at: index + Self.headerBytes, length: Self.pingBytes)
      else { break }
      pass()
      answer(opaque, context)
      index += Self.headerBytes + Self.pingBytes
      start = index
    }
    pass()
    if index < end { rest = input.getSlice(at: index, length: end - index) }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    if hasAnswered {
      hasAnswered = false
      context.flush()
    }
    context.fireChannelReadComplete()
  }

  private func header(in input: ByteBuffer, at index: Int) -> (length: Int, isPing: Bool)? {
    guard let high = input.getInteger(at: index, as: UInt8.self),
      let low = input.getInteger(at: index + 1, as: UInt16.self),
      let type = input.getInteger(at: index + 3, as: UInt8.self),
      let flags = input.getInteger(at: index + 4, as: UInt8.self)
    else { return nil }
    let length = Int(high) << 16 | Int(low)
    let isPing =
      type == Self.pingType && flags & Self.acknowledgement == 0 && length == Self.pingBytes
    return (length, isPing)
  }

  private func answer(_ opaque: ByteBuffer, _ context: ChannelHandlerContext) {
    var frame = context.channel.allocator.buffer(capacity: Self.headerBytes + Self.pingBytes)
    frame.writeBytes([0, 0, UInt8(Self.pingBytes), Self.pingType, Self.acknowledgement])
    frame.writeInteger(0 as UInt32)
    frame.writeImmutableBuffer(opaque)
    context.write(wrapOutboundOut(frame), promise: nil)
    hasAnswered = true
  }
}
