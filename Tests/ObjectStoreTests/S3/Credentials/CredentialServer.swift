import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A service on this machine that answers short requests as a test says.
final class CredentialServer: Sendable {
  struct Request: Sendable {
    var method: String
    var target: String
    var headers: HTTPHeaders
    var body: String
  }

  typealias Answer = @Sendable (Request) -> (status: Int, body: String)

  let port: Int
  private let seen = Mutex<[Request]>([])

  var endpoint: String { "http://127.0.0.1:\(port)" }
  var requests: [Request] { seen.withLock { $0 } }

  private init(port: Int) { self.port = port }

  static func with<Result: Sendable>(
    _ answer: @escaping Answer, _ body: (CredentialServer) async throws -> Result
  ) async throws -> Result {
    typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>
    let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .bind(host: "127.0.0.1", port: 0) { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          return try Connection(wrappingChannelSynchronously: channel)
        }
      }
    let server = CredentialServer(port: listener.channel.localAddress?.port ?? 0)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        try await listener.executeThenClose { connections in
          await withDiscardingTaskGroup { group in
            // Its end is the end of the test.
            do {
              for try await connection in connections {
                group.addTask { await server.serve(connection, answer) }
              }
            } catch {}
          }
        }
      }
      defer { group.cancelAll() }
      return try await body(server)
    }
  }

  private func serve(
    _ connection: NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>, _ answer: Answer
  ) async {
    // Clients may go at any time.
    try? await connection.executeThenClose { inbound, outbound in
      var head: HTTPRequestHead?
      var body = ""
      for try await part in inbound {
        switch part {
        case .head(let next): (head, body) = (next, "")
        case .body(let more): body += String(buffer: more)
        case .end:
          guard let head else { return }
          let request = Request(
            method: head.method.rawValue, target: head.uri, headers: head.headers, body: body)
          seen.withLock { $0.append(request) }
          let (status, text) = answer(request)
          try await outbound.write(
            .head(
              HTTPResponseHead(
                version: .http1_1, status: HTTPResponseStatus(statusCode: status),
                headers: ["Content-Length": "\(text.utf8.count)"])))
          try await outbound.write(.body(.byteBuffer(ByteBuffer(string: text))))
          try await outbound.write(.end(nil))
        }
      }
    }
  }
}
