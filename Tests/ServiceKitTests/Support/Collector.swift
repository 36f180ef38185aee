import NIOCore
import NIOHTTP1
import NIOPosix

/// A collector of traces on this machine that keeps what it gets and answers as a test says.
final class Collector: Sendable {
  struct Request: Sendable {
    let uri: String
    let headers: HTTPHeaders
    let body: [UInt8]
  }

  enum Answer: Sendable {
    case status(HTTPResponseStatus, headers: HTTPHeaders = [:])
    /// None: the connection stays open.
    case silence
  }

  let requests = Collected<Request>()
  let endpoint: String
  private let channel: any Channel

  /// - Parameter answer: by the number of the request, from 0.
  private init(_ answer: @escaping @Sendable (Int) -> Answer) async throws {
    let requests = requests
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          try channel.pipeline.syncOperations.addHandler(Handler(requests, answer))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    endpoint = "http://127.0.0.1:\(channel.localAddress?.port ?? 0)/v1/traces"
  }

  static func with<Result>(
    _ answer: @escaping @Sendable (Int) -> Answer = { _ in .status(.ok) },
    _ body: (Collector) async throws -> Result
  ) async throws -> Result {
    let collector = try await Collector(answer)
    do {
      let result = try await body(collector)
      try await collector.channel.close()
      return result
    } catch {
      try await collector.channel.close()
      throw error
    }
  }

  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let requests: Collected<Request>
    private let answer: @Sendable (Int) -> Answer
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []

    init(_ requests: Collected<Request>, _ answer: @escaping @Sendable (Int) -> Answer) {
      self.requests = requests
      self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      switch unwrapInboundIn(data) {
      case .head(let head): self.head = head
      case .body(let bytes): body += bytes.readableBytesView
      case .end:
        guard let head else { return }
        let number = requests.all.count
        requests.append(Request(uri: head.uri, headers: head.headers, body: body))
        body = []
        guard case .status(let status, var headers) = answer(number) else { return }
        headers.add(name: "Content-Length", value: "0")
        context.write(
          wrapOutboundOut(.head(.init(version: .http1_1, status: status, headers: headers))),
          promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
      }
    }
  }
}
