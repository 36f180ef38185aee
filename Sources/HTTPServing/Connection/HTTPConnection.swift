import Logging
import NIOCore
import NIOHTTP1

/// A connection and its task.
struct HTTPConnection: Sendable {
  let channel: any Channel
  private let handler: NIOLoopBound<HTTPConnectionHandler>

  /// On the channel's event loop.
  init(channel: any Channel, handler: HTTPConnectionHandler) {
    self.channel = channel
    self.handler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
  }

  /// Answers all requests of the connection, to its end; on its event loop.
  func run(_ respond: HTTPServer.Responder, _ logger: Logger) async {
    await withTaskCancellationHandler {
      let handler = handler.value
      // Used on the event loop only, by the handler, while this task lives.
      await withUnsafeCurrentTask { task in
        handler.task = task
        await serve(handler, respond, logger)
        handler.task = nil
      }
    } onCancel: {
      channel.close(promise: nil)
    }
  }

  private func serve(
    _ handler: HTTPConnectionHandler, _ respond: HTTPServer.Responder, _ logger: Logger
  ) async {
    while let head = await handler.nextHead() {
      guard handler.isSound else {
        handler.refuse(.badRequest, to: head.method)
        break
      }
      do {
        try await respond(HTTPExchange(request: head, connection: handler))
        guard handler.isAnswered else { throw HTTPFault.wrongLength }
      } catch {
        // A part of an answer is worse than none: the client must see that it is not whole.
        let isLost = handler.isClosed
        handler.close()
        switch error {
        case HTTPFault.closed, HTTPFault.brokenOff, HTTPFault.malformed, HTTPFault.timedOut:
          logger.debug("connection ended early", error: error)
        default: logger.log(level: isLost ? .debug : .error, "answer broken off", error: error)
        }
      }
    }
    handler.closeWhenSent()
    // The server has not ended while an answer is on its way.
    try? await channel.closeFuture.get()
  }
}

extension HTTPConnectionHandler {
  /// Whether the current request has its whole answer.
  fileprivate var isAnswered: Bool {
    switch outbound {
    case .idle, .closing: true
    case .awaited, .streaming: false
    }
  }
}
