import NIOCore
import RESP
import Synchronization

/// The way of commands from any thread to the connection of the moment, which lives on one event
/// loop.
///
/// Callers put commands into a queue under a short lock; the first one wakes the loop, which
/// then sends all that have come together. One sweep per 10 ms, and only while commands are
/// pending, stands in for a timer per command.
final class CommandPipe: Sendable {
  private struct Local {
    var handler: RedisChannelHandler?
    var isSweeping = false
  }

  /// How late a deadline may be noticed.
  static let sweepInterval = TimeAmount.milliseconds(10)

  let eventLoop: any EventLoop
  private let address: String
  private let queue: Mutex<CommandQueue>
  /// Belongs to the event loop.
  private let local: NIOLoopBoundBox<Local>

  init(configuration: RedisConfiguration, eventLoop: any EventLoop) {
    self.eventLoop = eventLoop
    address = configuration.address.description
    queue = Mutex(
      CommandQueue(
        maximumCount: configuration.maximumPendingCommands,
        maximumLength: configuration.maximumPendingBytes))
    local = NIOLoopBoundBox.makeBoxSendingValue(Local(), eventLoop: eventLoop)
  }

  var phase: CommandQueue.Phase { queue.withLock { $0.phase } }

  /// Commands without a reply, sent and unsent.
  var pendingCount: Int { queue.withLock { $0.count } }

  // MARK: From any thread

  /// Sends a command and waits for its reply, the deadline or the task's cancellation.
  func perform(_ command: RESPCommand, deadline: NIODeadline) async -> PendingCommand.Reply {
    let pending = PendingCommand(
      name: command.name, length: command.encodedLength, deadline: deadline, address: address)
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        if pending.wait(with: continuation) {
          submit(QueuedCommand(command: command, pending: pending))
        }
      }
    } onCancel: {
      pending.cancel()
    }
  }

  private func submit(_ command: QueuedCommand) {
    switch queue.withLock({ $0.admit(command) }) {
    case .queued: break
    case .wake: eventLoop.execute { self.turn() }
    case .refused(let kind, let message, let cause):
      command.pending.fail(kind, message, cause: cause)
    }
  }

  /// Commands fail from now on, and those that wait fail too.
  func refuse(_ error: RedisError) {
    for pending in queue.withLock({ $0.refuse(error) }) {
      pending.fail(.notConnected, "not sent, there is no connection", cause: error)
    }
  }

  /// Like ``refuse(_:)``, and no connection changes that any more.
  func end(_ error: RedisError) {
    for pending in queue.withLock({ $0.end(error) }) {
      pending.fail(.notConnected, "not sent, there is no connection", cause: error)
    }
  }

  // MARK: On the event loop

  private func turn() {
    queue.withLock { $0.awoke() }
    local.value.handler?.flush()
    startSweeping()
  }

  func connectionIsReady(_ handler: RedisChannelHandler) {
    local.value.handler = handler
    queue.withLock { $0.open() }
    handler.flush()
  }

  func connectionHasEnded(_ handler: RedisChannelHandler) {
    guard local.value.handler === handler else { return }
    local.value.handler = nil
    queue.withLock { queue in
      if case .ready = queue.phase { queue.hold() }
    }
  }

  func take(into batch: inout [QueuedCommand], length: Int) {
    queue.withLock { $0.take(into: &batch, length: length) }
  }

  func release(count: Int, length: Int) {
    queue.withLock { $0.release(count: count, length: length) }
  }

  private func startSweeping() {
    guard !local.value.isSweeping, queue.withLock({ $0.count }) > 0 else { return }
    local.value.isSweeping = true
    eventLoop.scheduleTask(in: Self.sweepInterval) { self.sweep() }
  }

  private func sweep() {
    local.value.isSweeping = false
    let now = eventLoop.now
    for pending in queue.withLock({ $0.removeExpired(at: now) }) { pending.expire() }
    local.value.handler?.sweep(at: now)
    startSweeping()
  }
}
