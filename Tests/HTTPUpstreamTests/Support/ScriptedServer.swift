import Glibc
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A server on this machine that does on each connection what a test says, byte by byte.
final class ScriptedServer: Sendable {
  typealias Script = @Sendable (ScriptedConnection) async throws -> Void

  let port: Int
  private let listener: any Channel
  private let accepted = Mutex(0)

  /// How many connections there have been.
  var connectionCount: Int { accepted.withLock { $0 } }

  private init(_ listener: any Channel) {
    self.listener = listener
    port = listener.localAddress?.port ?? 0
  }

  /// Takes no more connections.
  func stopListening() async throws { try await listener.close() }

  /// Runs `body` with a server that runs `script` on each connection, and closes it then.
  static func with<Result: Sendable>(
    tls: NIOSSLContext? = nil, _ script: @escaping Script,
    _ body: (ScriptedServer) async throws -> Result
  ) async throws -> Result {
    typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>
    let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelOption(.allowRemoteHalfClosure, value: false)
      .bind(host: "127.0.0.1", port: 0) { channel in
        channel.eventLoop.makeCompletedFuture {
          if let tls {
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
          }
          return try Connection(
            wrappingChannelSynchronously: channel,
            configuration: .init(
              backPressureStrategy: .init(lowWatermark: 1, highWatermark: 2),
              isOutboundHalfClosureEnabled: false))
        }
      }
    let server = ScriptedServer(listener.channel)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        try await listener.executeThenClose { connections in
          await withDiscardingTaskGroup { group in
            // An error here is the end of the listener, which is the end of the test.
            do {
              for try await connection in connections {
                let number = server.accepted.withLock { count in
                  count += 1
                  return count
                }
                group.addTask { await run(script, on: connection, number) }
              }
            } catch {}
          }
        }
      }
      defer { group.cancelAll() }
      return try await body(server)
    }
  }

  private static func run(
    _ script: Script, on connection: NIOAsyncChannel<ByteBuffer, ByteBuffer>, _ number: Int
  ) async {
    // Clients that go away in the middle are what is tested.
    try? await connection.executeThenClose { inbound, _ in
      try await script(
        ScriptedConnection(number, inbound.makeAsyncIterator(), connection.channel))
    }
  }
}

/// The server's side of one connection. Belongs to its script.
final class ScriptedConnection {
  /// Of the server, from 1.
  let number: Int
  private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
  private let channel: any Channel
  private var received = ByteBuffer()

  init(
    _ number: Int, _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
    _ channel: any Channel
  ) {
    self.number = number
    self.inbound = inbound
    self.channel = channel
  }

  /// The next head, with its empty line; nil if the client is gone.
  func head() async throws -> String? {
    while true {
      let text = String(buffer: received)
      if let end = text.range(of: "\r\n\r\n") {
        let head = String(text[..<end.upperBound])
        received.moveReaderIndex(forwardBy: head.utf8.count)
        return head
      }
      guard var more = try await inbound.next(isolation: #isolation) else { return nil }
      received.writeBuffer(&more)
    }
  }

  /// The next bytes; nil if the client is gone before it has sent so many.
  func bytes(_ count: Int) async throws -> String? {
    while received.readableBytes < count {
      guard var more = try await inbound.next(isolation: #isolation) else { return nil }
      received.writeBuffer(&more)
    }
    return received.readString(length: count)
  }

  /// Returns when the client has closed the connection.
  func waitForEnd() async throws { while try await inbound.next(isolation: #isolation) != nil {} }

  /// Returns when the socket has taken it.
  func send(_ text: String) async throws { try await send(ByteBuffer(string: text)) }
  func send(_ bytes: ByteBuffer) async throws { try await channel.writeAndFlush(bytes).get() }

  /// Ends the connection without a word (RST).
  func reset() async throws {
    let lingering = linger(l_onoff: 1, l_linger: 0)
    try await (channel as? any SocketOptionProvider)?.setSoLinger(lingering).get()
    try await channel.close()
  }
}

extension String {
  fileprivate func range(of text: String) -> Range<String.Index>? {
    let pattern = Array(text.utf8)
    var index = utf8.startIndex
    while let end = utf8.index(index, offsetBy: pattern.count, limitedBy: utf8.endIndex) {
      if utf8[index..<end].elementsEqual(pattern) { return index..<end }
      index = utf8.index(after: index)
    }
    return nil
  }
}
