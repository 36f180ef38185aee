package import CoreMetrics
package import Logging
import ServiceLifecycle

/// Sends spans to a collector by OTLP over HTTP with JSON.
///
/// It never holds the service up: spans wait in a bounded queue, what does not fit is dropped, and
/// requests have a deadline. It sleeps while there are no spans, and makes its client with the first.
/// Counts in `otlp_spans_exported_total` and `otlp_spans_dropped_total{reason}`.
package final class OTLPExporter: Service, CustomStringConvertible {
  let configuration: OTLPConfiguration
  let queue: SpanQueue
  private let exported: Counter
  private let rejected: Counter
  private let unreachable: Counter
  private let logger: Logger

  package init(
    _ configuration: OTLPConfiguration, metrics: any MetricsFactory = MetricsSystem.factory,
    logger: Logger
  ) {
    self.configuration = configuration
    self.logger = logger
    func dropped(_ reason: String) -> Counter {
      Counter(
        label: "otlp_spans_dropped_total", dimensions: [("reason", reason)], factory: metrics)
    }
    let full = dropped("queue_full")
    rejected = dropped("rejected")
    unreachable = dropped("unreachable")
    exported = Counter(label: "otlp_spans_exported_total", factory: metrics)
    queue = SpanQueue(
      capacity: configuration.queueCapacity, batch: configuration.batchSize,
      onDrop: { full.increment() })
  }

  package var description: String { "trace exporter" }

  /// Exports until graceful shutdown, then sends what is left within the flush timeout.
  package func run() async throws {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.exportUntilShutdown() }
      group.addTask { [timeout = configuration.flushTimeout] in
        // Cancelled: there is no time left at all.
        guard (try? await gracefulShutdown()) != nil else { return }
        try? await Task.sleep(for: timeout)
      }
      await group.next()
      group.cancelAll()
    }
    unreachable.increment(by: queue.drain())
  }

  private func exportUntilShutdown() async {
    // A graceful shutdown ends the loop, but not a request that is on its way.
    await withGracefulShutdownHandler {
      while !Task.isCancelled, !Task.isShuttingDownGracefully {
        await queue.arrived.wait()
        if !queue.isEmpty { await exportWhileThereAreSpans() }
      }
      // Spans that came while nothing ran yet, or between the loop's last look and its end.
      if !queue.isEmpty { await exportWhileThereAreSpans() }
    } onGracefulShutdown: { [queue] in
      queue.arrived.signal()
      queue.full.signal()
    }
  }

  /// Lives from the first span until the end of the process.
  private func exportWhileThereAreSpans() async {
    let delivery = OTLPDelivery(configuration, logger: logger)
    while !Task.isCancelled, !Task.isShuttingDownGracefully {
      if queue.isEmpty { await queue.arrived.wait() }
      if queue.isEmpty { continue }
      await gather()
      let spans = queue.take()
      if !spans.isEmpty { await export(spans, delivery) }
    }
    if !Task.isCancelled { await flush(delivery) }
    await delivery.shutdown()
  }

  /// Waits until there is a whole batch, or the first span has waited long enough.
  private func gather() async {
    if Task.isShuttingDownGracefully { return }
    await withTaskGroup(of: Void.self) { group in
      group.addTask { [queue] in await queue.full.wait() }
      group.addTask { [delay = configuration.batchDelay] in try? await Task.sleep(for: delay) }
      await group.next()
      group.cancelAll()
    }
  }

  private func flush(_ delivery: OTLPDelivery) async {
    let end = ContinuousClock.now + configuration.flushTimeout
    while ContinuousClock.now < end, !Task.isCancelled {
      let spans = queue.take()
      if spans.isEmpty { return }
      await export(spans, delivery, until: end)
    }
  }

  private func export(
    _ spans: [SpanRecord], _ delivery: OTLPDelivery, until end: ContinuousClock.Instant? = nil
  ) async {
    let body = OTLPEncoder.encode(spans, resource: configuration.resource)
    switch await delivery.send(body, until: end) {
    case .accepted: exported.increment(by: spans.count)
    case .rejected: rejected.increment(by: spans.count)
    case .unreachable: unreachable.increment(by: spans.count)
    }
  }
}
