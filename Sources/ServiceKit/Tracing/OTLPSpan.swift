import Synchronization
package import Tracing

/// A span of ``OTLPTracer``: one that records, or one that only carries the trace on.
package struct OTLPSpan: Tracing.Span {
  package let context: InstrumentationContext

  /// `nil`: nothing is recorded.
  private let recording: Recording?

  init(context: InstrumentationContext, recording: Recording? = nil) {
    self.context = context
    self.recording = recording
  }

  package var isRecording: Bool { recording?.isOpen ?? false }

  package var operationName: String {
    get { recording?.read(\.name) ?? "" }
    nonmutating set { recording?.change { $0.name = newValue } }
  }

  package var attributes: SpanAttributes {
    get { recording?.read(\.attributes) ?? [:] }
    nonmutating set { recording?.change { $0.attributes = newValue } }
  }

  package func setStatus(_ status: SpanStatus) { recording?.change { $0.status = status } }

  package func addEvent(_ event: SpanEvent) {
    recording?.change { span in
      if span.events.count < SpanRecord.mostDetails {
        span.events.append(event)
      } else {
        span.droppedEvents += 1
      }
    }
  }

  package func addLink(_ link: SpanLink) {
    recording?.change { span in
      if span.links.count < SpanRecord.mostDetails {
        span.links.append(link)
      } else {
        span.droppedLinks += 1
      }
    }
  }

  /// Records the error as an event `exception` with its type and text.
  package func recordError<Instant: TracerInstant>(
    _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
  ) {
    guard isRecording else { return }
    var attributes = attributes
    attributes["exception.type"] = String(reflecting: type(of: error))
    attributes["exception.message"] = String(describing: error)
    addEvent(SpanEvent(name: "exception", at: instant(), attributes: attributes))
  }

  package func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
    recording?.end(at: instant().nanosecondsSinceEpoch)
  }
}

extension OTLPSpan {
  /// What a span collects until it ends.
  final class Recording: Sendable {
    /// `nil` once the span has ended.
    private let span: Mutex<SpanRecord?>
    private let queue: SpanQueue

    init(_ span: SpanRecord, queue: SpanQueue) {
      self.span = Mutex(span)
      self.queue = queue
    }

    var isOpen: Bool { span.withLock { $0 != nil } }

    func read<Value: Sendable>(_ value: (SpanRecord) -> Value) -> Value? {
      span.withLock { $0.map(value) }
    }

    func change(_ body: (inout SpanRecord) -> Void) {
      span.withLock { span in
        if var open = span.take() {
          body(&open)
          span = open
        }
      }
    }

    func end(at time: UInt64) {
      guard var ended = span.withLock({ $0.take() }) else { return }
      ended.end = max(time, ended.start)
      queue.append(ended)
    }
  }
}
