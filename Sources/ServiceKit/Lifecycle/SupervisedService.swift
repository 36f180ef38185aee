import ServiceLifecycle

/// Runs one part and notes how it ended.
///
/// `ServiceGroup` cancels everything when a service returns in the middle of a shutdown of others,
/// but tolerates one that throws: so a part that ends before it was asked to throws.
struct SupervisedService: Service {
  let part: ServiceRunner.Part
  let outcome: ServiceOutcome

  /// Called when the part's end means the end of the process.
  let ended: @Sendable () -> Void

  /// Stands for an end that is no error.
  private struct Ended: Error {}

  func run() async throws {
    do {
      try await part.service.run()
    } catch let error as ExitWithCode {
      try end(.exit(error), throwing: error)
    } catch is CancellationError where wasAskedToEnd {
      return
    } catch {
      try end(.failed(service: part.name, error), throwing: error)
    }
    if wasAskedToEnd { return }
    switch part.whenFinished {
    case .stop: try end(.finished, throwing: Ended())
    case .goOn: try? await gracefulShutdown()
    case .fail:
      let error = FatalError("the part '\(part.name)' ended unexpectedly", code: .serviceFailed)
      try end(.failed(service: part.name, error), throwing: error)
    }
  }

  private var wasAskedToEnd: Bool { Task.isShuttingDownGracefully || Task.isCancelled }

  private func end(_ ending: ServiceOutcome.Ending, throwing error: any Error) throws {
    outcome.note(ending)
    ended()
    throw error
  }
}
