import HTTPServing
import Logging
import NIOCore
import NIOPosix
import ObjectStore
import ServiceKit

@testable import KeyValueHTTP

/// What a service answers to these bytes, up to the end of the connection.
///
/// - Parameters:
///   - logger: gets what is said of requests and of failures.
///   - isComplete: every request is a line of the log.
func answer(
  to request: String, from store: any ObjectStore,
  logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
  isComplete: Bool = false, tokens: TokenFile? = nil
) async throws -> String {
  let service = KeyValueService(
    store: store, access: AccessControl(tokens: tokens), crossOrigin: CrossOrigin(),
    readiness: Readiness(),
    maximumValueBytes: 1 << 20, clock: .system, metrics: KeyValueMetrics(),
    journal: Journal(logger: logger, isComplete: isComplete))
  let socket = try ListenSocket(.tcp(host: "127.0.0.1", port: 0), option: nil)
  guard let port = socket.address.port, let descriptor = socket.take() else { return "" }
  let group = MultiThreadedEventLoopGroup.singleton
  let server = HTTPServer(descriptor: descriptor, eventLoopGroup: group, logger: logger) {
    _ = try await service.answer($0)
  }
  return try await withThrowingTaskGroup(of: Void.self) { tasks in
    tasks.addTask { try await server.run() }
    defer { tasks.cancelAll() }
    let channel = try await ClientBootstrap(group: group).connect(host: "127.0.0.1", port: port) {
      channel in
      channel.eventLoop.makeCompletedFuture {
        try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
      }
    }
    return try await channel.executeThenClose { inbound, outbound in
      try await outbound.write(ByteBuffer(string: request))
      var text = ""
      for try await bytes in inbound { text += String(buffer: bytes) }
      return text
    }
  }
}
