import Glibc
package import Logging
package import ServiceLifecycle
import UnixSignals

/// Runs the parts of a process until it is told to stop, or one of them ends.
///
/// Parts start in the order given and are stopped in reverse, each after the one behind it has
/// ended: put first what others need (trace exporter, clients), last what takes in work (servers).
///
/// - SIGTERM or SIGINT: readiness fails at once, everything goes on for the lame duck time, then
///   comes the graceful shutdown. A second signal skips what is left of the lame duck time.
/// - A part that ends by itself: graceful shutdown at once. If it threw ``ExitWithCode``, so does
///   ``run()``; if it failed, ``run()`` throws a ``FatalError`` that names it.
/// - A graceful shutdown that takes longer than the grace time is cancelled; parts that do not even
///   react to that, within two seconds, are left behind: the process exits with 1.
package struct ServiceRunner: Sendable {
  /// What follows when a part's `run()` returns.
  package enum WhenFinished: Sendable {
    /// The process stops, with success.
    case stop
    /// The others go on.
    case goOn
    /// That was not expected: the process stops with a failure.
    case fail
  }

  /// One part of a process.
  package struct Part: Sendable {
    let name: String
    let service: any Service
    let whenFinished: WhenFinished

    /// - Parameter name: for messages; without one, the description of the service.
    package init(
      _ service: any Service, name: String? = nil, whenFinished: WhenFinished = .fail
    ) {
      self.service = service
      self.name = name ?? "\(service)"
      self.whenFinished = whenFinished
    }
  }

  private let parts: [Part]
  private let readiness: Readiness
  private let lameDuck: Duration
  private let grace: Duration
  private let signals: [UnixSignal]
  private let logger: Logger
  private let abandon: @Sendable () -> Void

  /// How long parts have to react to cancellation.
  private static let afterGrace: Duration = .seconds(2)

  /// - Parameters:
  ///   - readiness: told to stop as soon as the process is.
  ///   - lameDuck: for how long work is still taken after a signal, until no more is sent.
  ///   - grace: the longest graceful shutdown.
  ///   - handlesSignals: false in tests, which trigger the shutdown by task.
  ///   - abandon: ends the process without its parts.
  package init(
    _ parts: [Part], readiness: Readiness = Readiness(), lameDuck: Duration = .zero,
    grace: Duration = .seconds(20), handlesSignals: Bool = true, logger: Logger,
    abandon: @escaping @Sendable () -> Void = { _exit(1) }
  ) {
    self.parts = parts
    self.readiness = readiness
    self.lameDuck = lameDuck
    self.grace = grace
    self.signals = handlesSignals ? [.sigterm, .sigint] : []
    self.logger = logger
    self.abandon = abandon
  }

  private enum Event: Sendable {
    /// Work should stop coming: a signal, or the graceful shutdown of the task around.
    case stop(String)
    case partEnded
  }

  /// Runs until all parts have ended.
  package func run() async throws {
    let outcome = ServiceOutcome()
    let (events, continuation) = AsyncStream.makeStream(of: Event.self)
    let group = ServiceGroup(
      configuration: configuration(outcome) { continuation.yield(.partEnded) })
    // Before any part starts: an early signal must not be lost.
    let caught = await UnixSignalsSequence(trapping: signals)
    await withGracefulShutdownHandler {
      await withTaskGroup(of: Void.self) { tasks in
        tasks.addTask { for await signal in caught { continuation.yield(.stop("\(signal)")) } }
        tasks.addTask { await supervise(events, group, outcome) }
        // Each part's ending has been noted by the part itself.
        try? await group.run()
        tasks.cancelAll()
      }
    } onGracefulShutdown: {
      continuation.yield(.stop("shutdown"))
    }
    readiness.stop()
    try outcome.get()
  }

  private func configuration(
    _ outcome: ServiceOutcome, ended: @escaping @Sendable () -> Void
  ) -> ServiceGroupConfiguration {
    let services = parts.map { part in
      ServiceGroupConfiguration.ServiceConfiguration(
        service: SupervisedService(part: part, outcome: outcome, ended: ended),
        successTerminationBehavior: .ignore,
        failureTerminationBehavior: .gracefullyShutdownGroup,
        serviceName: part.name)
    }
    var quiet = logger
    quiet.logLevel = .critical
    var configuration = ServiceGroupConfiguration(services: services, logger: quiet)
    configuration.maximumGracefulShutdownDuration = grace
    return configuration
  }

  /// Leads the group through its end.
  private func supervise(
    _ events: AsyncStream<Event>, _ group: ServiceGroup, _ outcome: ServiceOutcome
  ) async {
    var iterator = events.makeAsyncIterator()
    guard let first = await iterator.next() else { return }
    readiness.stop()
    if case .stop(let reason) = first {
      logger.notice(
        "Stopping", metadata: ["reason": "\(reason)", "lameDuck": "\(lameDuck.text)"])
      if lameDuck > .zero { await wait(lameDuck, orUntilNextOf: events) }
    }
    await group.triggerGracefulShutdown()
    do {
      try await Task.sleep(for: grace)
      // From here on the group cancels its parts.
      let error = FatalError(
        "the graceful shutdown took longer than \(grace.text)", code: .serviceFailed)
      outcome.note(.failed(service: "shutdown", error))
      logger.error("Shutdown takes too long, cancelling", metadata: ["grace": "\(grace.text)"])
      try await Task.sleep(for: Self.afterGrace)
      logger.critical("Parts do not end, leaving them behind")
      abandon()
    } catch {
      // Cancelled: all parts have ended.
    }
  }

  private func wait(_ duration: Duration, orUntilNextOf events: AsyncStream<Event>) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { try? await Task.sleep(for: duration) }
      group.addTask { for await _ in events { return } }
      await group.next()
      group.cancelAll()
    }
  }
}
