import NIOCore
import RESP

/// One connection: greets the server, then writes commands and hands replies to their callers.
///
/// Lives on the event loop of its channel. ``ConnectionSetup``, ``Pipeline`` and ``RESPParser``
/// decide; it performs.
final class RedisChannelHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private enum State {
    case idle
    case greeting(ConnectionSetup, deadline: Scheduled<Void>)
    case ready(closed: EventLoopPromise<RedisSession.End>)
    case closed
  }

  /// Commands are gathered for one write until they have so many bytes.
  private static let writeLength = 64 << 10

  private let configuration: RedisConfiguration
  private let pipe: CommandPipe
  private let ready: EventLoopPromise<RedisSession>
  private let greetingDeadline: NIODeadline
  private var state = State.idle
  private var parser: RESPParser
  private var pipeline = Pipeline()
  private var context: ChannelHandlerContext?
  private var isFlushing = false
  private var answers: [(PendingCommand, RESPValue)] = []
  private var answered = 0
  /// Why the connection ends, where that is known before it does.
  private var reason: RedisError?

  /// Fulfils `ready` once the server has accepted the greeting, or fails it.
  init(
    configuration: RedisConfiguration, pipe: CommandPipe, ready: EventLoopPromise<RedisSession>,
    deadline: NIODeadline
  ) {
    self.configuration = configuration
    self.pipe = pipe
    self.ready = ready
    greetingDeadline = deadline
    parser = RESPParser(limits: configuration.replyLimits)
  }

  private var address: String { configuration.address.description }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    if context.channel.isActive { greet(context) }
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
  }

  func channelActive(context: ChannelHandlerContext) {
    greet(context)
    context.fireChannelActive()
  }

  private func greet(_ context: ChannelHandlerContext) {
    guard case .idle = state else { return }
    let setup = ConnectionSetup(configuration)
    let deadline = context.eventLoop.assumeIsolated().scheduleTask(deadline: greetingDeadline) {
      self.greetingExpired()
    }
    state = .greeting(setup, deadline: deadline)
    write(setup.begin(), context)
  }

  private func greetingExpired() {
    guard case .greeting(let setup, _) = state else { return }
    fail(
      RedisError(
        .timedOut, address: address,
        "connected, but no \(setup.awaited) within \(configuration.connectTimeout)"))
  }

  // MARK: Replies

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    parser.append(unwrapInboundIn(data))
    do throws(RESPError) {
      while let value = try parser.next() { receive(value, context) }
      deliverAnswers()
    } catch {
      deliverAnswers()
      fail(RedisError(.protocolViolation, address: address, "unreadable reply", cause: error))
    }
  }

  private func receive(_ value: RESPValue, _ context: ChannelHandlerContext) {
    // Not an answer: invalidations and the like, which nobody here has asked for.
    if case .push = value { return }
    switch state {
    case .greeting(let setup, let deadline):
      var setup = setup
      let action = setup.receive(value)
      state = .greeting(setup, deadline: deadline)
      switch action {
      case .send(let command): write(command, context)
      case .fail(let error): fail(error)
      case .ready(let version): becomeReady(version, context)
      }
    case .ready:
      guard let pending = pipeline.removeFirst() else {
        fail(
          RedisError(.protocolViolation, address: address, "a reply that no command waits for"))
        return
      }
      answers.append((pending, value))
    case .idle, .closed: return
    }
  }

  /// Hands out the replies of one read together: their room in the queue is given back first, so
  /// that a caller that goes on at once finds it free.
  private func deliverAnswers() {
    guard !answers.isEmpty else { return }
    answered += answers.count
    pipe.release(count: answers.count, length: answers.reduce(0) { $0 + $1.0.length })
    for (pending, value) in answers { pending.succeed(value) }
    answers.removeAll(keepingCapacity: answers.count <= 1024)
  }

  private func becomeReady(_ version: RESPVersion, _ context: ChannelHandlerContext) {
    guard case .greeting(_, let deadline) = state else { return }
    deadline.cancel()
    let closed = context.eventLoop.makePromise(of: RedisSession.End.self)
    state = .ready(closed: closed)
    ready.succeed(
      RedisSession(channel: context.channel, version: version, closed: closed.futureResult))
    pipe.connectionIsReady(self)
  }

  // MARK: Commands

  private func write(_ command: RESPCommand, _ context: ChannelHandlerContext) {
    var buffer = context.channel.allocator.buffer(capacity: command.encodedLength)
    command.write(into: &buffer)
    context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
  }

  /// Sends what is queued for as long as the socket takes it. What it does not take stays in the
  /// queue, where it can still expire.
  ///
  /// A write may end in this handler again before it returns: with a socket that has room once
  /// more, or with the end of the connection. The loop sees to both.
  func flush() {
    guard let context, !isFlushing else { return }
    isFlushing = true
    let now = context.eventLoop.now
    var batch: [QueuedCommand] = []
    while case .ready = state, context.channel.isWritable {
      pipe.take(into: &batch, length: Self.writeLength)
      guard !batch.isEmpty else { break }
      write(batch, at: now, context)
      batch.removeAll(keepingCapacity: true)
    }
    isFlushing = false
  }

  private func write(
    _ batch: [QueuedCommand], at now: NIODeadline, _ context: ChannelHandlerContext
  ) {
    var buffer = context.channel.allocator.buffer(
      capacity: batch.reduce(0) { $0 + $1.pending.length })
    for entry in batch {
      if entry.pending.deadline <= now { entry.pending.expire() }
      guard entry.pending.markSent() else {
        pipe.release(count: 1, length: entry.pending.length)
        continue
      }
      pipeline.append(entry.pending, at: now)
      entry.command.write(into: &buffer)
    }
    // Flushed each time: TLS takes everything between flushes without telling whether it is full.
    if buffer.readableBytes > 0 {
      context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { flush() }
    context.fireChannelWritabilityChanged()
  }

  /// Ends the wait of callers whose deadline has passed, and the connection if it has stalled.
  func sweep(at now: NIODeadline) {
    for pending in pipeline.expired(at: now) { pending.expire() }
    guard pipeline.age(at: now) > TimeAmount(configuration.stallLimit) else { return }
    fail(
      RedisError(
        .timedOut, address: address,
        "no reply for \(configuration.stallLimit), the connection was closed"))
  }

  // MARK: The end

  /// Closes the connection for a reason.
  private func fail(_ error: RedisError) {
    reason = reason ?? error
    if case .greeting = state { end() }
    context?.close(promise: nil)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // A server that does not like how we start hangs up: `end()` says what that may mean.
    if case .greeting = state, error is IOError {
      context.close(promise: nil)
    } else {
      fail(ConnectFailure.describe(error, address: configuration.address))
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    end()
    context.fireChannelInactive()
  }

  private func end() {
    let previous = state
    state = .closed
    let lost =
      reason ?? RedisError(.connectionClosed, address: address, "the connection was closed")
    switch previous {
    case .closed, .idle: return
    case .greeting(_, let deadline):
      deadline.cancel()
      ready.fail(reason ?? ConnectFailure.closedDuringGreeting(address: address))
    case .ready(let closed):
      deliverAnswers()
      pipe.connectionHasEnded(self)
      failPipeline(lost)
      closed.succeed(RedisSession.End(reason: lost, answered: answered))
    }
  }

  private func failPipeline(_ reason: RedisError) {
    let unanswered = pipeline.removeAll()
    pipe.release(count: unanswered.count, length: unanswered.reduce(0) { $0 + $1.length })
    let kind: RedisError.Kind =
      reason.kind == .protocolViolation ? .protocolViolation : .connectionClosed
    for pending in unanswered {
      pending.fail(kind, "the connection ended before the reply", cause: reason)
    }
  }
}
