import LocalServers
import NIOCore
import NIOPosix

/// A source that answers each request with bytes that a test has chosen, however wrong.
enum ScriptedSource {
  struct Script: Sendable {
    var bytes: [UInt8]
    /// Instead of leaving the connection open.
    var closes = true
    /// Sent again and again in these steps, until the other side gives up.
    var drip: TimeAmount?
    /// Gets the head of each request.
    var record: @Sendable (String) -> Void = { _ in }

    /// An answer as it should be.
    static func answer(
      _ body: [UInt8], type: String = "text/plain; version=0.0.4", more: String = "",
      length: Int? = nil, status: String = "200 OK"
    ) -> Script {
      let head =
        "HTTP/1.1 \(status)\r\ncontent-type: \(type)\r\n\(more)"
        + "content-length: \(length ?? body.count)\r\n\r\n"
      return Script(bytes: Array(head.utf8) + body)
    }

    static func answer(_ text: String) -> Script { answer(Array(text.utf8)) }
  }

  /// Serves as long as `body` runs, each script on a port of its own; `body` gets where.
  static func with<Result: Sendable>(
    _ scripts: [Script], _ body: ([String]) async throws -> Result
  ) async throws -> Result {
    try await serve(scripts.map { [$0] }) { ports in
      try await body(ports.map { "http://127.0.0.1:\($0)/metrics" })
    }
  }

  /// Serves all scripts on one port, each under a path of its own.
  static func withOnePort<Result: Sendable>(
    _ scripts: [Script], _ body: ([String]) async throws -> Result
  ) async throws -> Result {
    try await serve([scripts]) { ports in
      try await body(scripts.indices.map { "http://127.0.0.1:\(ports[0])/\($0)" })
    }
  }

  private static func serve<Result: Sendable>(
    _ ports: [[Script]], _ body: ([Int]) async throws -> Result
  ) async throws -> Result {
    var channels: [any Channel] = []
    for scripts in ports {
      let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .serverChannelOption(.backlog, value: 256)
        .childChannelOption(.maxMessagesPerRead, value: 1)
        .childChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(ScriptHandler(scripts))
          }
        }
        .bind(host: "127.0.0.1", port: 0).get()
      channels.append(channel)
    }
    do {
      let result = try await body(channels.map { $0.localAddress?.port ?? 0 })
      for channel in channels { try await channel.close() }
      return result
    } catch {
      for channel in channels { try? await channel.close() }
      throw error
    }
  }
}

private final class ScriptHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let scripts: [ScriptedSource.Script]
  private var request = ""

  init(_ scripts: [ScriptedSource.Script]) { self.scripts = scripts }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    request += String(buffer: unwrapInboundIn(data))
    guard request.contains("\r\n\r\n") else { return }
    let number = Int(request.drop { $0 != "/" }.dropFirst().prefix { $0 != " " })
    let script = scripts[number ?? 0]
    script.record(request)
    request = ""
    let bytes = context.channel.allocator.buffer(bytes: script.bytes)
    context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    if let step = script.drip {
      let context = NIOLoopBound(context, eventLoop: context.eventLoop)
      context.value.eventLoop.scheduleRepeatedTask(initialDelay: step, delay: step) { task in
        guard context.value.channel.isActive else { return task.cancel() }
        context.value.writeAndFlush(
          NIOAny(ByteBuffer(string: "# still here\n")), promise: nil)
      }
    } else if script.closes {
      context.close(promise: nil)
    }
  }
}
