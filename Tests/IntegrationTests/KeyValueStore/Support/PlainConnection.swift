import LocalServers
import NIOCore
import NIOPosix

/// A TCP connection on which a test writes its own bytes.
struct PlainConnection: Sendable {
  private struct Received {
    var bytes: [UInt8] = []
    var isClosed = false
  }

  private let channel: any Channel
  private let received = Observed(Received())

  /// All that was received so far.
  var text: String { String(decoding: received.current.bytes, as: UTF8.self) }

  func write(_ text: String) async throws {
    try await channel.writeAndFlush(ByteBuffer(string: text)).get()
  }

  /// Ends this side.
  func closeWriting() async throws { try await channel.close(mode: .output).get() }

  /// Waits until a text has been received so many times; returns all that was.
  @discardableResult
  func text(containing part: String, times: Int = 1) async throws -> String {
    let text = try await received.first { state -> String? in
      let text = String(decoding: state.bytes, as: UTF8.self)
      return text.split(separator: part, omittingEmptySubsequences: false).count > times
        || state.isClosed ? text : nil
    }
    guard text.contains(part) else {
      throw LocalServersError(.ended, "the connection was closed: \(text)")
    }
    return text
  }

  /// Waits until the server has closed the connection; returns all that was received.
  func textToTheEnd() async throws -> String {
    _ = try await received.first { $0.isClosed ? true : nil }
    return text
  }

  /// Runs `body` with a new connection to 127.0.0.1; at most for a minute.
  static func with<Result: Sendable>(
    port: Int, _ body: @escaping @Sendable (PlainConnection) async throws -> Result
  ) async throws -> Result {
    try await withDeadline(.seconds(60), "a connection to \(port) has done its work") {
      let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .channelOption(.allowRemoteHalfClosure, value: true)
        .connect(host: "127.0.0.1", port: port) { channel in
          channel.eventLoop.makeCompletedFuture {
            try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
              wrappingChannelSynchronously: channel,
              configuration: .init(isOutboundHalfClosureEnabled: false))
          }
        }
      return try await channel.executeThenClose { inbound, _ in
        let connection = PlainConnection(channel: channel.channel)
        return try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask {
            // A reset is an end like others.
            do {
              for try await bytes in inbound {
                connection.received.update { $0.bytes += bytes.readableBytesView }
              }
            } catch {}
            connection.received.update { $0.isClosed = true }
          }
          defer { group.cancelAll() }
          return try await body(connection)
        }
      }
    }
  }
}
