import FilteringProxy
import IPAddresses
import LocalServers
import Logging
import NIOCore
import NIOPosix

/// Names whose addresses a test chooses: each answer is used once, the last one for ever.
struct ScriptedResolver: NameResolving {
  private let answers: Observed<[String: [[IPAddress]]]>
  /// The names that were asked for.
  let asked = Observed<[String]>([])

  init(_ answers: [String: [[String]]]) {
    self.answers = Observed(answers.mapValues { $0.map { $0.compactMap { IPAddress($0) } } })
  }

  func addresses(of name: String, on eventLoop: any EventLoop) -> EventLoopFuture<[IPAddress]> {
    asked.update { $0.append(name) }
    let answer: [IPAddress]? = answers.update { answers in
      guard var list = answers[name], let next = list.first else { return nil }
      if list.count > 1 { list.removeFirst() }
      answers[name] = list
      return next
    }
    // Nil: never answered.
    return answer.map(eventLoop.makeSucceededFuture) ?? eventLoop.makePromise().futureResult
  }
}

/// Runs `body` with a proxy that lets 127.0.0.2 through, beside public addresses.
func withProxy<Result: Sendable>(
  resolver: (any NameResolving)? = nil,
  _ change: (inout FilteringProxy.Configuration) -> Void = { _ in },
  _ body: (FilteringProxy, Observed<[FilteringProxyEvent]>) async throws -> Result
) async throws -> Result {
  var configuration = FilteringProxy.Configuration()
  configuration.rules = AddressGuard(allowed: ["127.0.0.2/32"].compactMap { AddressRange($0) })
  if let resolver { configuration.resolver = resolver }
  change(&configuration)
  let events = Observed<[FilteringProxyEvent]>([])
  let proxy = try await FilteringProxy(
    configuration, eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
    logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
    onEvent: { event in events.update { $0.append(event) } })
  return try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask { try await proxy.run() }
    defer { group.cancelAll() }
    return try await body(proxy, events)
  }
}
