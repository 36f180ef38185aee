import Glibc
import LocalServers
import NIOCore
import NIOPosix

/// A connection on which a test writes its own bytes, and reads when it wants to.
struct TestClient: Sendable {
  struct Received: Sendable {
    var start: [UInt8] = []
    var count = 0
    var isEnded = false
    var isReset = false
  }

  let received = Observed(Received())
  private let channel: any Channel

  init(port: Int, isReading: Bool) async throws {
    let received = received
    channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelOption(.allowRemoteHalfClosure, value: true)
      .channelOption(.autoRead, value: isReading)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Receiver(received))
        }
      }
      .connect(host: "127.0.0.1", port: port).get()
  }

  var text: String { String(decoding: received.current.start, as: UTF8.self) }

  func write(_ text: String) async throws {
    try await channel.writeAndFlush(ByteBuffer(string: text)).get()
  }

  /// Reads once what is there.
  func read() { channel.read() }

  func readOn() async throws { try await channel.setOption(.autoRead, value: true).get() }

  func closeWriting() async throws { try await channel.close(mode: .output).get() }

  /// Ends the connection as a process that dies with bytes unread.
  func reset() async throws {
    try await (channel as? any SocketOptionProvider)?
      .setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
    try await channel.close().get()
  }

  func text(containing part: String) async throws -> String {
    let text = try await received.first { state -> String? in
      let text = String(decoding: state.start, as: UTF8.self)
      return text.contains(part) || state.isEnded ? text : nil
    }
    guard text.contains(part) else { throw LocalServersError(.ended, "it was closed: \(text)") }
    return text
  }

  func textToTheEnd() async throws -> String {
    _ = try await received.first { $0.isEnded ? true : nil }
    return text
  }
}

private final class Receiver: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let received: Observed<TestClient.Received>

  init(_ received: Observed<TestClient.Received>) { self.received = received }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = unwrapInboundIn(data)
    received.update { state in
      state.start += bytes.readableBytesView.prefix(max(0, 4096 - state.start.count))
      state.count += bytes.readableBytes
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed = event { received.update { $0.isEnded = true } }
  }

  func channelInactive(context: ChannelHandlerContext) { received.update { $0.isEnded = true } }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    received.update { $0.isReset = true }
    context.close(promise: nil)
  }
}
