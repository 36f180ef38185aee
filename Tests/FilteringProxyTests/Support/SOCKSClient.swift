import IPAddresses
import LocalServers
import NIOCore
import NIOPosix

/// A client that says byte by byte what a test wants.
struct SOCKSClient: Sendable {
  struct Received: Sendable {
    var bytes: [UInt8] = []
    var isEnded = false
  }

  private let channel: any Channel
  private let received = Observed(Received())

  init(_ port: Int) async throws {
    let received = received
    channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelOption(.allowRemoteHalfClosure, value: true)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Receiver(received))
        }
      }
      .connect(host: "127.0.0.1", port: port).get()
  }

  func write(_ bytes: [UInt8]) async throws {
    try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
  }

  func write(_ text: String) async throws { try await write(Array(text.utf8)) }

  func closeWriting() async throws { try await channel.close(mode: .output).get() }

  func setReading(_ isReading: Bool) async throws {
    try await channel.setOption(.autoRead, value: isReading).get()
  }

  /// Also when both sides have said all, and it is closed already.
  func close() async throws { try? await channel.close() }

  /// Takes so many bytes; fewer if the connection ends before.
  func read(_ count: Int) async throws -> [UInt8] {
    try await withDeadline(.seconds(30), "\(count) bytes come") {
      _ = try await received.first { $0.bytes.count >= count || $0.isEnded ? true : nil }
    }
    return received.update { state in
      defer { state.bytes.removeFirst(min(count, state.bytes.count)) }
      return Array(state.bytes.prefix(count))
    }
  }

  func text(_ count: Int) async throws -> String {
    String(decoding: try await read(count), as: UTF8.self)
  }

  /// What comes until the other side has said all.
  func rest() async throws -> [UInt8] {
    try await withDeadline(.seconds(30), "the connection ends") {
      try await received.first { $0.isEnded ? $0.bytes : nil }
    }
  }

  // MARK: The protocol

  /// Greets, and asks for a connection; the reply's code.
  func connect(_ kind: UInt8, _ address: [UInt8], port: Int) async throws -> UInt8? {
    try await write([5, 1, 0])
    guard try await read(2) == [5, 0] else { return nil }
    try await write([5, 1, 0, kind] + address + [UInt8(port >> 8), UInt8(port & 255)])
    let reply = try await read(10)
    return reply.count == 10 ? reply[1] : nil
  }

  func connect(to name: String, port: Int) async throws -> UInt8? {
    try await connect(3, [UInt8(name.utf8.count)] + Array(name.utf8), port: port)
  }
}

private final class Receiver: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let received: Observed<SOCKSClient.Received>

  init(_ received: Observed<SOCKSClient.Received>) { self.received = received }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = unwrapInboundIn(data)
    received.update { $0.bytes += Array(bytes.readableBytesView) }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed = event { received.update { $0.isEnded = true } }
  }

  func channelInactive(context: ChannelHandlerContext) { received.update { $0.isEnded = true } }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
