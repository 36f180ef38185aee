import NIOCore
import NIOHTTP1

/// Turns the parts of HTTP/1 into whole requests and responses, and ends connections that are slow,
/// idle or too big.
///
/// Each phase of an exchange has one deadline: until the request's head is complete, until its end,
/// until the response is sent.
final class MonitorChannelHandler: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = MonitorRequest
  typealias OutboundIn = MonitorResponse
  typealias OutboundOut = HTTPServerResponsePart

  private enum Phase {
    /// No complete head yet: a new connection, or one between two requests.
    case waiting
    case receiving(HTTPRequestHead, bodyBytes: Int)
    case responding(HTTPRequestHead)
    /// The last response is on its way, or the connection broke: nothing more is read.
    case closing
  }

  private let limits: MonitorServer.Limits
  private let budget: ByteBudget
  private let connections: MonitorConnections
  private var phase = Phase.waiting
  private var deadline: Scheduled<Void>?

  init(limits: MonitorServer.Limits, budget: ByteBudget, connections: MonitorConnections) {
    self.limits = limits
    self.budget = budget
    self.connections = connections
  }

  func handlerAdded(context: ChannelHandlerContext) {
    schedule(limits.headTimeout, context)
  }

  func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

  func channelInactive(context: ChannelHandlerContext) {
    deadline?.cancel()
    phase = .closing
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch (unwrapInboundIn(data), phase) {
    case (.head(let head), .waiting):
      phase = .receiving(head, bodyBytes: 0)
      connections.markBusy(context.channel)
      schedule(limits.bodyTimeout, context)
    case (.body(let bytes), .receiving(let head, let count)):
      let total = count + bytes.readableBytes
      if total > limits.bodyBytes {
        refuse(.text("the body is too large", status: .payloadTooLarge), to: head, context)
      } else {
        phase = .receiving(head, bodyBytes: total)
      }
    case (.end, .receiving(let head, _)):
      phase = .responding(head)
      budget.reset()
      schedule(limits.responseTimeout, context)
      context.fireChannelRead(
        wrapInboundOut(
          MonitorRequest(method: head.method, uri: head.uri, headers: head.headers)))
    default: break
    }
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard case .responding(let head) = phase else {
      promise?.fail(ChannelError.ioOnClosedChannel)
      return
    }
    let isLast = !head.isKeepAlive || head.version != .http1_1
    send(unwrapOutboundIn(data), to: head, isLast: isLast, context, promise)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard error is HTTPParserError, case .waiting = phase, context.channel.isActive else {
      phase = .closing
      context.close(promise: nil)
      return
    }
    refuse(
      .text("not a request", status: .badRequest),
      to: HTTPRequestHead(version: .http1_1, method: .GET, uri: "/"), context)
  }

  private func refuse(
    _ response: MonitorResponse, to head: HTTPRequestHead, _ context: ChannelHandlerContext
  ) {
    send(response, to: head, isLast: true, context, nil)
  }

  private func send(
    _ response: MonitorResponse, to request: HTTPRequestHead, isLast: Bool,
    _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?
  ) {
    var head = HTTPResponseHead(
      version: .http1_1, status: response.status, headers: response.headers)
    head.headers.replaceOrAdd(name: "Content-Length", value: response.body.count.description)
    if isLast { head.headers.replaceOrAdd(name: "Connection", value: "close") }
    phase = isLast ? .closing : .waiting
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    if request.method != .HEAD, !response.body.isEmpty {
      let body = context.channel.allocator.buffer(bytes: response.body)
      context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
    }
    let sent = context.eventLoop.makePromise(of: Void.self)
    sent.futureResult.cascade(to: promise)
    sent.futureResult.assumeIsolated().whenComplete { [self] _ in
      if isLast {
        context.close(promise: nil)
      } else if case .waiting = phase {
        connections.markIdle(context.channel)
        schedule(limits.idleTimeout, context)
      }
    }
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: sent)
  }

  private func schedule(_ time: TimeAmount, _ context: ChannelHandlerContext) {
    deadline?.cancel()
    deadline = context.eventLoop.assumeIsolated().scheduleTask(in: time) {
      context.close(promise: nil)
    }
  }
}

/// Counts the bytes of a connection's current request; used on its event loop only.
final class ByteBudget {
  private let limit: Int
  private var used = 0

  init(_ limit: Int) { self.limit = limit }

  func reset() { used = 0 }

  /// Whether these bytes are still within the budget.
  func take(_ count: Int) -> Bool {
    used += count
    return used <= limit
  }
}

/// Closes a connection whose request is larger than the budget, before it is parsed: the parser
/// bounds header fields, but not the request line.
final class ByteBudgetHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  private let budget: ByteBudget

  init(_ budget: ByteBudget) { self.budget = budget }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if budget.take(unwrapInboundIn(data).readableBytes) {
      context.fireChannelRead(data)
    } else {
      context.close(promise: nil)
    }
  }
}
