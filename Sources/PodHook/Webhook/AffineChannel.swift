import EventLoops
import HummingbirdCore
import Logging
import NIOCore
import NIOExtras

/// A connection whose requests are handled on the connection's own event loop.
///
/// For services whose requests wait for a few short answers of the network and compute little in
/// between: changing threads would cost more than the work itself. Nothing that runs here may block.
///
/// The connection gets its handlers only when its task runs: one that is accepted while the server
/// stops may never get a task, and an async channel that nobody takes over ends the process
/// (https://github.com/apple/swift-nio/issues/2813).
struct AffineChannel<Base: ServerChildChannel>: ServerChildChannel {
  struct Value: ServerChildChannelValue {
    let channel: any Channel
  }

  private let base: Base
  private let executors: EventLoopTaskExecutors

  init(_ base: Base, executors: EventLoopTaskExecutors) {
    self.base = base
    self.executors = executors
  }

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    channel.eventLoop.makeCompletedFuture {
      try channel.syncOptions?.setOption(.autoRead, value: false)
      try channel.pipeline.syncOperations.addHandler(PeerHandler())
      return Value(channel: channel)
    }
  }

  func handle(value: Value, logger: Logger) async {
    await withTaskExecutorPreference(executors[value.channel.eventLoop]) {
      do {
        let connection = try await takeOver(value.channel, logger)
        await base.handle(value: connection, logger: logger)
      } catch {
        // The client, or the end of the server, was faster.
        value.channel.close(promise: nil)
      }
    }
  }

  private func takeOver(_ channel: any Channel, _ logger: Logger) async throws -> Base.Value {
    try await channel.eventLoop.flatSubmit {
      do {
        let pipeline = channel.pipeline.syncOperations
        try pipeline.handler(type: PeerHandler.self).isNewcomer = false
        let connection = base.setup(channel: channel, logger: logger)
        return connection.flatMapThrowing { connection in
          try channel.syncOptions?.setOption(.autoRead, value: true)
          return connection
        }
      } catch {
        return channel.eventLoop.makeFailedFuture(error)
      }
    }.get()
  }
}

/// Closes a connection that nobody needs any more.
private final class PeerHandler: ChannelInboundHandler {
  typealias InboundIn = NIOAny

  /// Whether the connection has no task yet: then nobody else ends it when the server stops.
  var isNewcomer = true

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    // An API server that closes its side has given up: the answer must fail, or what was claimed
    // for it would not be given back.
    case ChannelEvent.inputClosed: context.close(promise: nil)
    case is ChannelShouldQuiesceEvent where isNewcomer: context.close(promise: nil)
    default: context.fireUserInboundEventTriggered(event)
    }
  }
}
