import HTTPServing
import Logging
import NIOHTTP1
import ObjectStore
import ServiceKit

/// What the log says of requests: failures always, the others if asked for. Never values, tokens or
/// fields.
struct Journal: Sendable {
  let logger: Logger
  /// Whether each request is a line.
  let isComplete: Bool

  /// A request has its answer, or never gets one.
  func note(_ visit: borrowing Visit, since start: ContinuousClock.Instant) {
    guard isComplete || logger.logLevel <= .debug else { return }
    var metadata = Self.metadata(visit)
    metadata["status"] = "\(visit.status?.code ?? 0)"
    metadata["seconds"] = "\((.now - start).seconds)"
    metadata["bytes_in"] = "\(visit.bytesReceived)"
    metadata["bytes_out"] = "\(visit.bytesSent)"
    if let fault = visit.fault { metadata["fault"] = "\(fault)" }
    logger.log(level: isComplete ? .info : .debug, "request", metadata: metadata)
  }

  /// The store failed.
  func note(_ error: ObjectStoreError, _ visit: borrowing Visit) {
    let level: Logger.Level =
      switch error.kind {
      case .conditionFailed, .sourceFailed, .tooLarge, .cancelled: .debug
      case .unavailable, .busy: .warning
      case .full, .denied, .corrupt: .error
      }
    guard level >= logger.logLevel else { return }
    var metadata = Self.metadata(visit)
    metadata["kind"] = "\(error.kind)"
    metadata["reason"] = "\(error.message)"
    logger.log(level: level, "the store failed", metadata: metadata)
  }

  private static func metadata(_ visit: borrowing Visit) -> Logger.Metadata {
    var metadata: Logger.Metadata = ["method": "\(visit.exchange.request.method.rawValue)"]
    if case .key(let key) = visit.target { metadata["key"] = "\(key)" }
    return metadata
  }
}
