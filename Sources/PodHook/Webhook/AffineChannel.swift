import HummingbirdCore
import Logging
import NIOCore

/// A connection whose requests are handled on the connection's own event loop.
///
/// An admission waits for a few short answers of the network and computes little in between, so
/// that changing threads would cost more than the work itself. Nothing that runs here may block.
struct AffineChannel<Base: ServerChildChannel>: ServerChildChannel {
  let base: Base
  let executors: EventLoopTaskExecutors

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Base.Value> {
    base.setup(channel: channel, logger: logger)
  }

  func handle(value: Base.Value, logger: Logger) async {
    await withTaskExecutorPreference(executors[value.channel.eventLoop]) {
      await base.handle(value: value, logger: logger)
    }
  }
}
