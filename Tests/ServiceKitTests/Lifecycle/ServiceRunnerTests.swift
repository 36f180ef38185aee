import Glibc
import ServiceKit
import ServiceLifecycle
import Testing

@Suite(.timeLimit(.minutes(2))) struct ServiceRunnerTests {
  /// A part that does what a test says and writes down when it starts and ends.
  private struct Part: Service, CustomStringConvertible {
    let description: String
    let log: Collected<String>
    var body: @Sendable () async throws -> Void = { try? await gracefulShutdown() }

    func run() async throws {
      log.append("\(description) starts")
      defer { log.append("\(description) ends") }
      try await body()
    }
  }

  private struct Broken: Error {}

  private let log = Collected<String>()

  private func part(
    _ name: String, _ finish: ServiceRunner.WhenFinished = .fail,
    body: @escaping @Sendable () async throws -> Void = { try? await gracefulShutdown() }
  ) -> ServiceRunner.Part {
    .init(Part(description: name, log: log, body: body), whenFinished: finish)
  }

  private func runner(
    _ parts: [ServiceRunner.Part], readiness: Readiness = Readiness(),
    lameDuck: Duration = .zero, grace: Duration = .seconds(60), handlesSignals: Bool = false,
    abandon: @escaping @Sendable () -> Void = { Issue.record("abandoned") }
  ) -> ServiceRunner {
    ServiceRunner(
      parts, readiness: readiness, lameDuck: lameDuck, grace: grace,
      handlesSignals: handlesSignals, logger: .silent, abandon: abandon)
  }

  @Test func partsStopInReverse() async throws {
    let runner = runner([
      part("a"), part("b"), part("c", .stop) { [log] in _ = await log.first(3) },
    ])
    try await runner.run()
    #expect(log.all.filter { $0.hasSuffix("ends") } == ["c ends", "b ends", "a ends"])
  }

  @Test func anExitCodePassesThroughAfterAShutdown() async {
    let readiness = Readiness()
    let runner = runner(
      [part("a"), part("b") { throw ExitWithCode(42) }, part("c")], readiness: readiness)
    await #expect(throws: ExitWithCode(42)) { try await runner.run() }
    #expect(readiness.isStopping)
    #expect(log.all.filter { $0.hasSuffix("ends") }.count == 3)
  }

  @Test func aPartThatFailsEndsTheProcessWithItsName() async {
    let runner = runner([part("a"), part("store") { throw Broken() }])
    let error = await #expect(throws: FatalError.self) { try await runner.run() }
    #expect(error?.code == .serviceFailed)
    #expect(error?.message == "the part 'store' failed: Broken()")
  }

  @Test func aFatalErrorOfAPartKeepsItsWords() async {
    let runner = runner([part("a") { throw FatalError("in words", code: .certificates) }])
    let error = await #expect(throws: FatalError.self) { try await runner.run() }
    #expect(error?.message == "in words" && error?.code == .certificates)
  }

  @Test func aPartThatEndsUnexpectedlyIsAFailure() async {
    let runner = runner([part("a"), part("b") {}])
    let error = await #expect(throws: FatalError.self) { try await runner.run() }
    #expect(error?.message == "the part 'b' ended unexpectedly")
  }

  @Test func aPartMayEndWhileTheOthersGoOn() async throws {
    let runner = runner([
      part("a", .goOn) {},
      part("b", .stop) { [log] in while !log.all.contains("a ends") { await Task.yield() } },
    ])
    try await runner.run()
    #expect(log.all.contains("b ends"))
  }

  @Test func partsThatEndOutOfOrderDuringAShutdownAreNoFailure() async throws {
    // `a` ends by itself while `c`, which is behind it, is being stopped.
    let runner = runner([
      part("a", .stop) { [log] in while !log.all.contains("c stopping") { await Task.yield() } },
      part("b", .stop) { [log] in _ = await log.first(3) },
      part("c") { [log] in
        try? await gracefulShutdown()
        log.append("c stopping")
        while !log.all.contains("a ends") { await Task.yield() }
      },
    ])
    try await runner.run()
    #expect(log.all.filter { $0.hasSuffix("ends") }.count == 3)
  }

  @Test func aShutdownThatTakesTooLongIsCancelledAndFails() async {
    let runner = runner(
      [part("slow") { try await Task.sleep(for: .seconds(3600)) }, part("b", .stop) {}],
      grace: .milliseconds(50))
    let error = await #expect(throws: FatalError.self) { try await runner.run() }
    #expect(error?.message == "the graceful shutdown took longer than 50ms")
  }

  @Test func partsThatIgnoreCancellationAreLeftBehind() async {
    let abandoned = Collected<Void>()
    let runner = runner(
      [part("deaf") { _ = await abandoned.first(1) }, part("b", .stop) {}],
      grace: .milliseconds(10), abandon: { abandoned.append(()) })
    await #expect(throws: FatalError.self) { try await runner.run() }
  }

  @Test func cancellationEndsAllParts() async throws {
    let runner = runner([part("a"), part("b") { try await Task.sleep(for: .seconds(3600)) }])
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await runner.run() }
      _ = await log.first(2)
      tasks.cancelAll()
      try await tasks.waitForAll()
    }
    #expect(log.all.filter { $0.hasSuffix("ends") }.count == 2)
  }
}

/// The signals of a process are one for all: one test at a time.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ServiceRunnerSignalTests {
  private struct Waiting: Service {
    let started: Collected<Void>
    func run() async throws {
      started.append(())
      try? await gracefulShutdown()
    }
  }

  /// Runs with a lame duck time and signals; says whether the process got ready again.
  private func run(
    lameDuck: Duration, signals: [Int32], between: @Sendable (Readiness) async -> Void
  ) async throws {
    let started = Collected<Void>()
    let readiness = Readiness()
    let lines = Collected<[UInt8]>()
    let runner = ServiceRunner(
      [.init(Waiting(started: started))], readiness: readiness, lameDuck: lameDuck,
      logger: lines.logger())
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await runner.run() }
      _ = await started.first(1)
      for signal in signals {
        kill(getpid(), signal)
        _ = await lines.first(1)
        await between(readiness)
      }
      try await tasks.waitForAll()
    }
  }

  @Test func aSignalMakesTheProcessUnreadyAtOnceThenEndsIt() async throws {
    try await run(lameDuck: .milliseconds(50), signals: [SIGTERM]) { readiness in
      #expect(await readiness.health() == .unhealthy("shutting down"))
    }
  }

  @Test func aSecondSignalSkipsTheRestOfTheLameDuckTime() async throws {
    try await run(lameDuck: .seconds(3600), signals: [SIGTERM, SIGINT]) { _ in }
  }
}
