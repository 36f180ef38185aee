import NIOCore
import NIOHTTP1

/// Counts the bytes of a request's head: the parser bounds fields, but not the request line. Used
/// on the event loop of its connection only.
final class HTTPHeadMeter {
  private let limit: Int
  private var bytes = 0
  private var isMeasuring = true

  /// When the first byte of the head came that is not whole yet.
  private(set) var start: NIODeadline?
  /// Whether nobody looks at what comes any more.
  private(set) var isOver = false

  /// - Parameter limit: with what a read may bring behind the head.
  init(limit: Int) { self.limit = limit }

  /// A request is whole: what comes next is a head.
  func expectHead() {
    isMeasuring = true
    bytes = 0
    start = nil
  }

  func endHead() {
    isMeasuring = false
    start = nil
  }

  /// Drops whatever comes from now on: a parser that has failed takes no more.
  func stop() {
    isOver = true
    start = nil
  }

  /// False if this is too much for a head.
  func add(_ count: Int) -> Bool {
    guard isMeasuring else { return true }
    if start == nil { start = .now() }
    bytes += count
    return bytes <= limit
  }
}

/// Feeds a meter with what goes to the parser.
final class HTTPHeadMeterHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  private let meter: HTTPHeadMeter

  init(_ meter: HTTPHeadMeter) { self.meter = meter }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if meter.isOver { return }
    if meter.add(unwrapInboundIn(data).readableBytes) {
      context.fireChannelRead(data)
    } else {
      meter.stop()
      context.fireErrorCaught(HTTPParserError.headerOverflow)
    }
  }
}
