import Synchronization

/// The spans that wait for their export: bounded, what comes when it is full is lost and counted.
final class SpanQueue: Sendable {
  private let spans: Mutex<[SpanRecord]>
  private let capacity: Int
  private let batch: Int
  private let onDrop: @Sendable () -> Void

  /// Signalled when a span comes into the empty queue.
  let arrived = Wakeup()
  /// Signalled when there is a whole batch.
  let full = Wakeup()

  init(capacity: Int, batch: Int, onDrop: @escaping @Sendable () -> Void) {
    self.capacity = capacity
    self.batch = batch
    self.onDrop = onDrop
    spans = Mutex([])
  }

  var isEmpty: Bool { spans.withLock(\.isEmpty) }

  func append(_ span: SpanRecord) {
    let count = spans.withLock { spans -> Int? in
      guard spans.count < capacity else { return nil }
      spans.append(span)
      return spans.count
    }
    switch count {
    case nil: onDrop()
    case 1?: arrived.signal()
    default: break
    }
    if count == batch { full.signal() }
  }

  /// The oldest spans, at most a batch.
  func take() -> [SpanRecord] {
    spans.withLock { spans in
      let taken = Array(spans.prefix(batch))
      spans.removeFirst(taken.count)
      return taken
    }
  }

  /// Throws away what is there and says how much that was.
  func drain() -> Int {
    spans.withLock { spans in
      defer { spans = [] }
      return spans.count
    }
  }
}
