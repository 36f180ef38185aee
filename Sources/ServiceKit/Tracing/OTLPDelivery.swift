import AsyncHTTPClient
import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import Synchronization

/// Brings requests to the collector, again if that may help.
final class OTLPDelivery: Sendable {
  enum Result: Sendable {
    case accepted
    /// The collector does not want it: trying again is no use.
    case rejected
    case unreachable
  }

  private enum Answer {
    case final(Result, reason: String)
    /// Worth another try, after a pause if the collector named one.
    case retry(after: Duration?, reason: String)
  }

  private let configuration: OTLPConfiguration
  private let client: HTTPClient
  private let logger: Logger
  private let isFailing = Mutex(false)

  /// The largest answer that is read, in bytes.
  private static let largestAnswer = 64 * 1024

  init(_ configuration: OTLPConfiguration, logger: Logger) {
    self.configuration = configuration
    self.logger = logger
    var settings = HTTPClient.Configuration(redirectConfiguration: .disallow)
    settings.timeout.connect = .init(configuration.timeout)
    // Retries are this type's decision, with a bound.
    settings.connectionPool.retryConnectionEstablishment = false
    // A client that traces its own exports never ends.
    settings.tracing.tracer = nil
    client = HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: settings)
  }

  func shutdown() async { try? await client.shutdown() }

  /// - Parameter end: if set, there is one attempt, which ends by then.
  func send(_ body: [UInt8], until end: ContinuousClock.Instant?) async -> Result {
    var pause = configuration.retryDelay
    var attempt = 0
    while true {
      let left = end.map { max(.zero, $0 - .now) } ?? configuration.timeout
      switch await post(body, timeout: min(left, configuration.timeout)) {
      case .final(let result, let reason):
        note(result == .accepted ? nil : reason)
        return result
      case .retry(let after, let reason):
        note(reason)
        attempt += 1
        guard end == nil, attempt <= configuration.retries, !Task.isShuttingDownGracefully else {
          return .unreachable
        }
        let wait = min(max(pause, after ?? .zero), configuration.longestRetryDelay)
        pause = pause * 2
        // A shutdown does not wait for the pause.
        try? await cancelWhenGracefulShutdown { try await Task.sleep(for: wait) }
        if Task.isCancelled { return .unreachable }
      }
    }
  }

  private func post(_ body: [UInt8], timeout: Duration) async -> Answer {
    var request = HTTPClientRequest(url: configuration.endpoint)
    request.method = .POST
    request.headers.add(name: "Content-Type", value: "application/json")
    for header in configuration.headers {
      request.headers.replaceOrAdd(name: header.name, value: header.value.reveal)
    }
    request.body = .bytes(body)
    do {
      let response = try await client.execute(request, timeout: TimeAmount(timeout))
      // Read, so that the connection can be used again.
      _ = try? await response.body.collect(upTo: Self.largestAnswer)
      return Self.answer(to: response)
    } catch {
      return .retry(after: nil, reason: "\(error)")
    }
  }

  /// https://opentelemetry.io/docs/specs/otlp/#failures-1: 429, 502, 503 and 504 are retryable.
  private static func answer(to response: HTTPClientResponse) -> Answer {
    switch response.status.code {
    case 200..<300: return .final(.accepted, reason: "")
    case 429, 502, 503, 504:
      let seconds = response.headers.first(name: "Retry-After").flatMap { UInt16($0) }
      return .retry(
        after: seconds.map { .seconds(Int($0)) }, reason: "status \(response.status.code)")
    default: return .final(.rejected, reason: "status \(response.status.code)")
    }
  }

  /// Logs when exporting starts to fail, and when it works again, not every failure.
  private func note(_ failure: String?) {
    let changed = isFailing.withLock { isFailing in
      defer { isFailing = failure != nil }
      return isFailing != (failure != nil)
    }
    guard changed else { return }
    if let failure {
      logger.warning(
        "Traces cannot be exported, spans are dropped",
        metadata: ["endpoint": "\(configuration.endpoint)", "error": "\(failure)"])
    } else {
      logger.info(
        "Traces are exported again", metadata: ["endpoint": "\(configuration.endpoint)"])
    }
  }
}
