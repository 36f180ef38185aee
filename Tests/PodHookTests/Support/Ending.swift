import Logging
import PodHook
import ServiceKit
import ServiceLifecycle

/// How a sidecar ended.
enum Ending: Equatable {
  case returned
  case exited(Int32)
  case failed(String)

  /// Runs a service until it ends by itself or `body` has triggered the shutdown.
  static func of(
    _ service: any Service, during body: (ServiceGroup) async throws -> Void
  ) async throws -> Ending {
    let group = ServiceGroup(
      configuration: .init(
        services: [
          .init(
            service: service, successTerminationBehavior: .ignore,
            failureTerminationBehavior: .cancelGroup)
        ],
        gracefulShutdownSignals: [],
        logger: Logger(label: "group") { _ in SwiftLogNoOpLogHandler() }))
    async let ending = run(group)
    try await body(group)
    return await ending
  }

  private static func run(_ group: ServiceGroup) async -> Ending {
    do {
      try await group.run()
      return .returned
    } catch let exit as ExitWithCode {
      return .exited(exit.code)
    } catch {
      return .failed("\(error)")
    }
  }
}
