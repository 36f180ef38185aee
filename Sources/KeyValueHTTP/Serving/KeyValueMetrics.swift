import CoreMetrics
import HTTPServing
import Metrics
import NIOHTTP1
import ObjectStore
import Synchronization

/// What http-kvs counts. The handles are made once: a request only adds to them.
struct KeyValueMetrics: Sendable {
  private static let methods: [HTTPMethod] = [.GET, .HEAD, .POST, .PUT, .DELETE, .OPTIONS]

  /// Of one method.
  private struct Series: Sendable {
    /// By the first digit of the status; 0: there was no answer.
    let requests: [Counter]
    let duration: Timer

    init(_ method: String) {
      requests = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"].map { status in
        Counter(label: "kvs_requests_total", dimensions: [("method", method), ("status", status)])
      }
      duration = Timer(label: "kvs_request_duration_seconds", dimensions: [("method", method)])
    }
  }

  private let series = methods.map { Series($0.rawValue) } + [Series("other")]
  private let received = Counter(label: "kvs_received_bytes_total")
  private let sent = Counter(label: "kvs_sent_bytes_total")
  private let inFlight = Meter(label: "kvs_requests_in_flight")
  private let connections = Meter(label: "kvs_connections")
  private let storeErrors: [ObjectStoreError.Kind: Counter]

  init() {
    var storeErrors: [ObjectStoreError.Kind: Counter] = [:]
    for kind in Self.kinds {
      storeErrors[kind] = Counter(
        label: "kvs_store_errors_total", dimensions: [("kind", "\(kind)")])
    }
    self.storeErrors = storeErrors
  }

  /// Those that are faults of the store; a condition that does not hold is none.
  private static let kinds: [ObjectStoreError.Kind] = [
    .full, .denied, .unavailable, .busy, .corrupt, .cancelled,
  ]

  /// A request came.
  func begin() -> ContinuousClock.Instant {
    inFlight.increment()
    return .now
  }

  func end(_ visit: borrowing Visit, since start: ContinuousClock.Instant) {
    inFlight.decrement()
    let method = visit.exchange.request.method
    let series = series[Self.methods.firstIndex(of: method) ?? Self.methods.count]
    // An answer that broke off is no answer.
    let status = visit.fault == nil ? visit.status?.code ?? 0 : 0
    series.requests[min(Int(status / 100), 5)].increment()
    series.duration.record(duration: .now - start)
    if visit.bytesReceived > 0 { received.increment(by: visit.bytesReceived) }
    if visit.bytesSent > 0 { sent.increment(by: visit.bytesSent) }
  }

  /// A request without a head that can be read has its answer.
  func countRefusal(_ status: HTTPResponseStatus) {
    series[Self.methods.count].requests[min(Int(status.code / 100), 5)].increment()
  }

  func count(_ kind: ObjectStoreError.Kind) { storeErrors[kind]?.increment() }

  func connectionsChanged(by difference: Int) { connections.increment(by: Double(difference)) }
}
