package import Logging
package import NIOCore
package import RESP
import ServiceLifecycle
import Synchronization

/// One connection to one server, shared by all who send commands.
///
/// Commands go out in the order in which they were sent, without waiting for each other's
/// replies. Commands that change what a connection is (`SUBSCRIBE`, `MONITOR`, `RESET`, `QUIT`,
/// `CLIENT REPLY`) or that block it (`BLPOP`) have no place here.
///
/// A command whose caller has given up, by time-out or cancellation, is dropped if it was not
/// sent. If it was, it keeps its place: the server runs it, its late reply is discarded, and the
/// connection stays in use. So a release sent after such an acquire is run after it.
package final class RedisClient: Service, Sendable {
  /// What the connection is doing.
  package enum Status: Sendable {
    /// No attempt has failed since the last connection; commands wait for the next one.
    case connecting
    case connected
    /// Commands fail at once for this reason, which is that of the last attempt.
    case failing(RedisError)
  }

  /// The last time that the server could not be used since ``run()`` was called: no connection, or
  /// it was loading its data. One soon after another counts as long as both. One that lasts ends
  /// now: what is sent during it may arrive right after it. Nil: there was none.
  package var lastOutage: Outage? { outages.withLock { $0.latest(at: .now) } }

  package struct Outage: Sendable, Hashable {
    package let duration: Duration
    package let end: ContinuousClock.Instant
  }

  package let address: RedisAddress
  private let outages = Mutex(RedisOutages())
  private let configuration: RedisConfiguration
  private let pipe: CommandPipe
  private let logger: Logger

  /// A client that connects once ``run()`` is called.
  package init(
    configuration: RedisConfiguration, eventLoopGroup: any EventLoopGroup, logger: Logger
  ) {
    address = configuration.address
    self.configuration = configuration
    pipe = CommandPipe(configuration: configuration, eventLoop: eventLoopGroup.next())
    var logger = logger
    logger[metadataKey: "redis"] = "\(configuration.address)"
    self.logger = logger
  }

  package var status: Status {
    switch pipe.phase {
    case .holding: .connecting
    case .ready: .connected
    case .refusing(let error): .failing(error)
    }
  }

  /// Sends a command and returns its reply, which is never an error: those are thrown as
  /// ``RedisError/Kind/server(code:)``. Errors inside of arrays are left in place.
  ///
  /// While the first attempt to connect is under way, and while a lost connection is replaced,
  /// the command waits for it; once an attempt has failed, commands fail at once until one
  /// succeeds.
  package func send(
    _ command: RESPCommand, timeout: Duration
  ) async throws(RedisError) -> RESPValue {
    try await send(command, deadline: deadline(after: timeout))
  }

  /// Runs a script by its digest, and by its source if the server does not know it. The time-out
  /// is for both attempts together.
  package func evaluate(
    _ script: RedisScript, keys: [String], arguments: [RESPArgument] = [], timeout: Duration
  ) async throws(RedisError) -> RESPValue {
    let deadline = deadline(after: timeout)
    do throws(RedisError) {
      return try await send(
        script.byDigest(keys: keys, arguments: arguments), deadline: deadline)
    } catch  where error.kind == .server(code: "NOSCRIPT") {
      return try await send(
        script.bySource(keys: keys, arguments: arguments), deadline: deadline)
    }
  }

  private func deadline(after timeout: Duration) -> NIODeadline {
    pipe.eventLoop.now + TimeAmount(timeout)
  }

  private func send(
    _ command: RESPCommand, deadline: NIODeadline
  ) async throws(RedisError) -> RESPValue {
    let value = try await pipe.perform(command, deadline: deadline).get()
    note(isLoading: value.errorCode == "LOADING")
    guard let text = value.error else { return value }
    throw RedisError(
      .server(code: value.errorCode ?? "ERR"), address: address.description,
      "\(command.name): \(text.prefix(300))", mayHaveRun: true)
  }

  private func note(isLoading: Bool) {
    outages.withLock { outages in
      // The time of an answer is of interest only if it changes something.
      if isLoading { outages.begin(at: .now) } else if outages.isAway { outages.end(at: .now) }
    }
  }

  // MARK: The connection's life

  /// Keeps the client connected until the task is cancelled or a graceful shutdown begins; then
  /// closes the connection, and commands fail from there on. Call it once.
  package func run() async throws {
    await cancelWhenGracefulShutdown { await self.runUntilCancelled() }
  }

  /// Like ``run()``, but a graceful shutdown does not end it: for an owner that still has to send
  /// something then.
  package func runUntilCancelled() async {
    await stayConnected()
    pipe.end(RedisError(.notConnected, address: address.description, "the client has ended"))
    logger.debug("Redis client ended")
  }

  private func stayConnected() async {
    let connector = RedisConnector(configuration: configuration, pipe: pipe)
    var backoff = RedisBackoff(configuration.reconnectDelays)
    var random = SystemRandomNumberGenerator()
    while !Task.isCancelled {
      let attemptedAt = ContinuousClock.now
      do throws(RedisError) {
        let session = try await connector.connect()
        logger.info(
          "Connected to Redis", metadata: ["redis.protocol": "\(session.version.rawValue)"])
        let connectedAt = ContinuousClock.now
        outages.withLock { $0.end(at: connectedAt) }
        let end = await waitForEnd(of: session)
        outages.withLock { $0.begin(at: .now) }
        if Task.isCancelled { return }
        logger.warning("Lost the connection to Redis", metadata: ["reason": "\(end.reason)"])
        // A server that only accepts and closes connections is as good as none.
        let lifetime = connectedAt.duration(to: .now)
        if end.answered > 0 || lifetime >= configuration.reconnectDelays.upperBound {
          backoff.reset()
        } else {
          pipe.refuse(end.reason)
        }
      } catch {
        if Task.isCancelled { return }
        outages.withLock { $0.begin(at: attemptedAt) }
        report(error)
        pipe.refuse(error)
      }
      // Ends early only by cancellation, which the loop checks.
      try? await Task.sleep(for: backoff.next(using: &random))
    }
  }

  private func waitForEnd(of session: RedisSession) async -> RedisSession.End {
    await withTaskCancellationHandler {
      do {
        return try await session.closed.get()
      } catch {
        let reason = ConnectFailure.describe(error, address: address)
        return RedisSession.End(reason: reason, answered: 0)
      }
    } onCancel: {
      session.channel.close(promise: nil)
    }
  }

  /// Warns of the first of a row of failures; the others are the same story.
  private func report(_ error: RedisError) {
    if case .refusing = pipe.phase {
      logger.debug("Cannot connect to Redis", metadata: ["reason": "\(error)"])
    } else {
      logger.warning("Cannot connect to Redis", metadata: ["reason": "\(error)"])
    }
  }
}
