import HTTPUpstream
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// What a test does to one request on its way to S3, or to its answer.
enum Fault: Sendable {
  case none
  /// Not passed on, and refused.
  case refuse(Int, String)
  /// Carried out, and then refused.
  case refuseAfter(Int, String)
  /// Not passed on: the connection ends.
  case drop
  /// Carried out, and then the connection ends without an answer.
  case loseAnswer
  /// The connection ends after so many bytes of the answer's body.
  case cut(Int)
  /// Nothing follows after so many bytes of the answer's body.
  case stall(Int)
  /// Another answer, byte by byte.
  case say(String)
}

/// Stands between a store and a server of S3, and makes it misbehave as a test says.
final class FaultProxy: Sendable {
  typealias Plan = @Sendable (HTTPRequestHead, Int) -> Fault

  let port: Int
  private let seen = Mutex<[String]>([])

  var endpoint: String { "http://127.0.0.1:\(port)" }

  /// `METHOD target` of all requests.
  var requests: [String] { seen.withLock { $0 } }

  private init(port: Int) { self.port = port }

  /// - Parameter plan: by the head of a request and its number, from 0.
  static func with<Result: Sendable>(
    _ target: Int, _ plan: @escaping Plan, _ body: (FaultProxy) async throws -> Result
  ) async throws -> Result {
    typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, ByteBuffer>
    let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .bind(host: "127.0.0.1", port: 0) { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(
            ByteToMessageHandler(HTTPRequestDecoder()))
          return try Connection(wrappingChannelSynchronously: channel)
        }
      }
    let proxy = FaultProxy(port: listener.channel.localAddress?.port ?? 0)
    let upstream = try HTTPUpstream(
      configuration: HTTPUpstreamConfiguration(
        origin: HTTPOrigin(usesTLS: false, host: "127.0.0.1", port: target)),
      eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        try await listener.executeThenClose { connections in
          await withDiscardingTaskGroup { group in
            // Its end is the end of the test.
            do {
              for try await connection in connections {
                group.addTask { await proxy.serve(connection, upstream, plan) }
              }
            } catch {}
          }
        }
      }
      defer {
        group.cancelAll()
        upstream.shutDown()
      }
      return try await body(proxy)
    }
  }

  private func serve(
    _ connection: NIOAsyncChannel<HTTPServerRequestPart, ByteBuffer>, _ upstream: HTTPUpstream,
    _ plan: Plan
  ) async {
    // What ends a connection here is part of the plan.
    try? await connection.executeThenClose { inbound, outbound in
      var head: HTTPRequestHead?
      var body = ByteBuffer()
      for try await part in inbound {
        switch part {
        case .head(let next): (head, body) = (next, ByteBuffer())
        case .body(var more): body.writeBuffer(&more)
        case .end:
          guard let head else { return }
          let number = seen.withLock { seen in
            seen.append("\(head.method) \(head.uri)")
            return seen.count - 1
          }
          let goesOn = try await answer(head, body, plan(head, number), upstream, outbound)
          if !goesOn { return }
        }
      }
    }
  }

  /// Whether the connection lives on.
  private func answer(
    _ head: HTTPRequestHead, _ body: ByteBuffer, _ fault: Fault, _ upstream: HTTPUpstream,
    _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
  ) async throws -> Bool {
    switch fault {
    case .drop: return false
    case .say(let text):
      try await outbound.write(ByteBuffer(string: text))
      return true
    case .refuse(let status, let code):
      try await outbound.write(refusal(head, status, code))
      return true
    case .none, .refuseAfter, .loseAnswer, .cut, .stall: break
    }
    let response = try await pass(head, body, upstream)
    let value = try await response.collect(upTo: 1 << 30)
    switch fault {
    case .refuseAfter(let status, let code): try await outbound.write(refusal(head, status, code))
    case .loseAnswer: return false
    case .cut(let count):
      try await outbound.write(text(response, value, count))
      return false
    case .stall(let count):
      try await outbound.write(text(response, value, count))
      try await Task.sleep(for: .seconds(600))
    default: try await outbound.write(text(response, value, value.readableBytes))
    }
    return true
  }

  private func pass(
    _ head: HTTPRequestHead, _ body: ByteBuffer, _ upstream: HTTPUpstream
  ) async throws -> HTTPUpstreamResponse {
    var headers = head.headers
    headers.remove(name: "content-length")
    return try await upstream.send(
      HTTPUpstreamRequest(
        head.method, head.uri, headers: headers,
        body: body.readableBytes == 0 ? .none : .bytes([body])))
  }

  private func text(
    _ response: HTTPUpstreamResponse, _ body: ByteBuffer, _ count: Int
  ) -> ByteBuffer {
    var text = ByteBuffer(string: "HTTP/1.1 \(response.status) X\r\n")
    let framing = ["content-length", "transfer-encoding", "connection"]
    for (name, value) in response.headers where !framing.contains(name.lowercased()) {
      text.writeString("\(name): \(value)\r\n")
    }
    let length = response.header("content-length") ?? "\(body.readableBytes)"
    // A HEAD has a length and no body.
    text.writeString("Content-Length: \(length)\r\n\r\n")
    text.writeImmutableBuffer(body.getSlice(at: 0, length: min(count, body.readableBytes)) ?? body)
    return text
  }

  private func refusal(_ head: HTTPRequestHead, _ status: Int, _ code: String) -> ByteBuffer {
    let document = "<Error><Code>\(code)</Code><Message>as planned</Message></Error>"
    let body = head.method == .HEAD ? "" : document
    return ByteBuffer(
      string: "HTTP/1.1 \(status) X\r\nContent-Length: \(document.utf8.count)\r\n\r\n\(body)")
  }
}
