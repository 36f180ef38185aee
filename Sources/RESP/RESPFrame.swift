import NIOCore

/// An aggregate or a streamed string whose end has not arrived.
///
/// Collections are stored side by side, not as payloads of an enumeration, so that they grow in
/// place.
struct RESPFrame: Sendable {
  private enum Kind {
    case aggregate(RESPAggregateKind)
    case streamedString
    /// Attributes that are complete and wait for the value that they are about.
    case attributes
  }

  enum Step {
    /// Not complete yet.
    case pending
    case complete(RESPValue)
    /// Complete, and the next value belongs to it.
    case attributes([RESPMapEntry])
  }

  private let kind: Kind
  /// Values still to come; nil until an end marker.
  private var remaining: Int?
  /// Values taken so far.
  private(set) var count = 0
  private var elements: [RESPValue] = []
  private var entries: [RESPMapEntry] = []
  private var key: RESPValue?
  private var text = ByteBuffer()

  var isStreamedString: Bool {
    if case .streamedString = kind { true } else { false }
  }
  var isStreamedAggregate: Bool { remaining == nil && !isStreamedString }

  /// An aggregate that `values` values follow; nil if an end marker says how many.
  init(_ aggregate: RESPAggregateKind, values: Int?) {
    kind = .aggregate(aggregate)
    remaining = values
    // A count is only a claim: reserve little on its word.
    let capacity = min(values ?? 0, 256)
    if aggregate.valuesPerElement == 2 {
      entries.reserveCapacity(capacity / 2)
    } else {
      elements.reserveCapacity(capacity)
    }
  }

  init(attributes: [RESPMapEntry]) {
    kind = .attributes
    entries = attributes
    remaining = 1
  }

  private init(kind: Kind) {
    self.kind = kind
  }

  static var streamedString: RESPFrame { RESPFrame(kind: .streamedString) }

  /// What an aggregate without children is.
  var whenEmpty: Step { remaining == 0 ? finished : .pending }

  mutating func append(_ value: RESPValue, attach: Bool) -> Step {
    count += 1
    switch kind {
    case .attributes: return .complete(attach ? .attributed(entries, value) : value)
    case .streamedString: return .pending
    case .aggregate(let aggregate) where aggregate.valuesPerElement == 1: elements.append(value)
    case .aggregate:
      if let key {
        entries.append(RESPMapEntry(key: key, value: value))
        self.key = nil
      } else {
        key = value
      }
    }
    guard let left = remaining else { return .pending }
    remaining = left - 1
    return left == 1 ? finished : .pending
  }

  /// - Returns: Bytes joined so far.
  mutating func append(chunk: ByteBuffer) -> Int {
    text.writeImmutableBuffer(chunk)
    return text.readableBytes
  }

  /// The value at an end marker; nil where a map still lacks the value of its last key.
  func end() -> Step? { key == nil ? finished : nil }

  private var finished: Step {
    switch kind {
    case .aggregate(.array): .complete(.array(elements))
    case .aggregate(.set): .complete(.set(elements))
    case .aggregate(.push): .complete(.push(elements))
    case .aggregate(.map): .complete(.map(entries))
    case .aggregate(.attribute): .attributes(entries)
    case .streamedString: .complete(.bulkString(text))
    case .attributes: .pending
    }
  }
}
