import NIOCore
import NIOEmbedded
import RESP
import Testing

@testable import RedisClient

/// A client's connection without a socket, on a clock that stands still until told otherwise.
final class FakeConnection: Sendable {
  let channel = NIOAsyncTestingChannel()
  let pipe: CommandPipe
  let ready: EventLoopFuture<RedisSession>

  init(_ change: (inout RedisConfiguration) -> Void = { _ in }) async throws {
    var configuration = RedisConfiguration(address: RedisAddress(host: "fake", port: 1))
    change(&configuration)
    let loop = channel.testingEventLoop
    let pipe = CommandPipe(configuration: configuration, eventLoop: loop)
    let promise = loop.makePromise(of: RedisSession.self)
    self.pipe = pipe
    ready = promise.futureResult
    let deadline = loop.now + TimeAmount(configuration.connectTimeout)
    let frozen = configuration
    try await loop.executeInContext { [channel] in
      try channel.pipeline.syncOperations.addHandler(
        RedisChannelHandler(
          configuration: frozen, pipe: pipe, ready: promise, deadline: deadline))
    }
    try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).get()
  }

  /// A connection that the server has accepted.
  static func greeted(
    _ change: (inout RedisConfiguration) -> Void = { _ in }
  ) async throws -> FakeConnection {
    let connection = try await FakeConnection(change)
    #expect(try await connection.nextWrite().hasPrefix("*4\r\n$5\r\nHELLO\r\n"))
    try await connection.answer("%0\r\n")
    _ = try await connection.ready.get()
    return connection
  }

  /// Starts a command; returns once it is in the hands of the pipe.
  func start(
    _ command: RESPCommand, timeout: TimeAmount = .seconds(5),
    in group: inout ThrowingTaskGroup<Void, any Error>,
    _ completion: @escaping @Sendable (PendingCommand.Reply) -> Void
  ) async {
    let before = pipe.pendingCount
    let deadline = channel.testingEventLoop.now + timeout
    group.addTask { [pipe] in
      completion(await pipe.perform(command, deadline: deadline))
    }
    while pipe.pendingCount == before { await Task.yield() }
    await settle()
  }

  /// Lets the loop do what it was woken for.
  func settle() async {
    await channel.testingEventLoop.run()
  }

  func nextWrite() async throws -> String {
    String(buffer: try await channel.waitForOutboundWrite(as: ByteBuffer.self))
  }

  func writtenSoFar() async throws -> String {
    var text = ""
    while let bytes = try await channel.readOutbound(as: ByteBuffer.self) {
      text += String(buffer: bytes)
    }
    return text
  }

  func answer(_ text: String) async throws {
    try await channel.writeInbound(ByteBuffer(string: text))
  }

  func advance(_ time: TimeAmount) async {
    await channel.testingEventLoop.advanceTime(by: time)
  }
}
