package import NIOCore

/// An incremental parser for a stream of RESP values, either version.
///
/// Give it bytes as they come (``append(_:)``), then take values until there are none
/// (``next()``). Open aggregates wait on an explicit stack, so neither deep nesting nor small
/// pieces cost more than the bytes themselves.
package struct RESPParser: Sendable {
  /// What to do with attributes, which servers may put in front of any value.
  package enum Attributes: Sendable {
    case discard
    /// Return ``RESPValue/attributed(_:_:)``.
    case attach
  }

  private enum Expectation {
    case header
    case payload(RESPPayloadKind, length: Int)
  }

  private let limits: RESPLimits
  private let attributes: Attributes
  private var input = ReceiveBuffer()
  private var frames: [RESPFrame] = []
  private var expectation = Expectation.header
  private var elements = 0
  private var length = 0
  private var failure: RESPError?

  package init(limits: RESPLimits = .client, attributes: Attributes = .discard) {
    self.limits = limits
    self.attributes = attributes
  }

  /// Bytes that have arrived and belong to no complete value. Zero between two replies only if
  /// ``isBetweenValues``.
  package var unparsedBytes: Int { input.count }

  /// No value has been started.
  package var isBetweenValues: Bool {
    if case .payload = expectation { return false }
    return input.count == 0 && frames.isEmpty
  }

  /// Takes what arrived; nothing is parsed before ``next()``.
  package mutating func append(_ bytes: ByteBuffer) {
    input.append(bytes)
  }

  /// The next complete value, nil until more bytes arrive.
  ///
  /// Once it has thrown, it throws the same error again: the stream is lost.
  package mutating func next() throws(RESPError) -> RESPValue? {
    if let failure { throw failure }
    do throws(RESPError) {
      return try advance()
    } catch {
      failure = error
      frames = []
      input = ReceiveBuffer()
      throw error
    }
  }

  private mutating func advance() throws(RESPError) -> RESPValue? {
    while true {
      let step: RESPFrame.Step
      let start = input.offset
      switch expectation {
      case .header:
        guard let line = try input.readHeader(lineLength: limits.lineLength) else { return nil }
        try count(length: line.length, at: start)
        step = try open(line.header, at: start)
      case .payload(let kind, let length):
        guard let payload = try input.readPayload(length: length) else { return nil }
        expectation = .header
        step = try close(kind, payload, at: start)
      }
      if let value = try deliver(step, at: start) {
        elements = 0
        length = 0
        return value
      }
    }
  }

  /// Hands a completed value to the aggregates around it.
  ///
  /// - Returns: The value that is not part of another.
  private mutating func deliver(
    _ step: RESPFrame.Step, at start: Int64
  ) throws(RESPError) -> RESPValue? {
    var step = step
    while true {
      switch step {
      case .pending: return nil
      case .attributes(let entries):
        try push(RESPFrame(attributes: entries), at: start)
        return nil
      case .complete(let value):
        guard let last = frames.indices.last else { return value }
        if frames[last].isStreamedAggregate {
          try count(elements: 1, of: frames[last].count + 1, at: start)
        }
        step = frames[last].append(value, attach: attributes == .attach)
        if case .pending = step { return nil }
        frames.removeLast()
      }
    }
  }

  private mutating func open(
    _ header: RESPHeader, at start: Int64
  ) throws(RESPError) -> RESPFrame.Step {
    if let frame = frames.last, frame.isStreamedString {
      guard case .chunk = header else {
        throw RESPError(.misplaced, at: start, "only chunks may follow '$?'")
      }
    }
    switch header {
    case .value(let value): return .complete(value)
    case .payload(let kind, let length):
      try expect(kind, length: length, at: start)
      return .pending
    case .streamedString:
      try push(.streamedString, at: start)
      return .pending
    case .aggregate(let kind, let count):
      return try open(kind, count: count, at: start)
    case .chunk(let length):
      guard let frame = frames.last, frame.isStreamedString else {
        throw RESPError(.misplaced, at: start, "';' has no '$?' in front")
      }
      guard length > 0 else { return frames.removeLast().end() ?? .pending }
      try expect(.chunk, length: length, at: start)
      return .pending
    case .end:
      guard let frame = frames.last, frame.isStreamedAggregate, let step = frame.end() else {
        throw RESPError(.misplaced, at: start, "'.' ends nothing here")
      }
      frames.removeLast()
      return step
    }
  }

  private mutating func open(
    _ kind: RESPAggregateKind, count: Int?, at start: Int64
  ) throws(RESPError) -> RESPFrame.Step {
    if kind == .push, !frames.isEmpty {
      throw RESPError(.misplaced, at: start, "'>' may not be inside another value")
    }
    var values: Int?
    if let count {
      let (product, overflow) = count.multipliedReportingOverflow(by: kind.valuesPerElement)
      values = overflow ? .max : product
      try self.count(elements: values ?? 0, of: values ?? 0, at: start)
    }
    let frame = RESPFrame(kind, values: values)
    guard case .pending = frame.whenEmpty else { return frame.whenEmpty }
    try push(frame, at: start)
    return .pending
  }

  private mutating func expect(
    _ kind: RESPPayloadKind, length: Int, at start: Int64
  ) throws(RESPError) {
    guard length <= limits.bulkLength else {
      throw RESPError(
        .limitExceeded, at: start,
        "a payload of \(length) bytes is longer than \(limits.bulkLength)")
    }
    try count(length: length + 2, at: start)
    expectation = .payload(kind, length: length)
  }

  private mutating func close(
    _ kind: RESPPayloadKind, _ payload: ByteBuffer, at start: Int64
  ) throws(RESPError) -> RESPFrame.Step {
    switch kind {
    case .string: return .complete(.bulkString(payload))
    case .error: return .complete(.bulkError(payload))
    case .verbatim:
      guard let value = RESPValue(verbatim: payload) else {
        throw RESPError(.malformed, at: start, "'=' needs three bytes and a colon in front")
      }
      return .complete(value)
    case .chunk:
      guard frames[frames.count - 1].append(chunk: payload) <= limits.bulkLength else {
        throw RESPError(
          .limitExceeded, at: start,
          "a streamed string is longer than \(limits.bulkLength) bytes")
      }
      return .pending
    }
  }

  private mutating func push(_ frame: RESPFrame, at start: Int64) throws(RESPError) {
    guard frames.count < limits.depth else {
      throw RESPError(
        .limitExceeded, at: start, "values are nested deeper than \(limits.depth) levels")
    }
    frames.append(frame)
  }

  private mutating func count(
    elements added: Int, of aggregate: Int, at start: Int64
  ) throws(RESPError) {
    guard aggregate <= limits.elementsPerAggregate else {
      throw RESPError(
        .limitExceeded, at: start,
        "an aggregate has more than \(limits.elementsPerAggregate) elements")
    }
    // Each addend is bounded by the check above, so that this cannot overflow.
    elements += added
    guard elements <= limits.elementsPerReply else {
      throw RESPError(
        .limitExceeded, at: start, "a reply has more than \(limits.elementsPerReply) elements")
    }
  }

  private mutating func count(length added: Int, at start: Int64) throws(RESPError) {
    length += added
    guard length <= limits.replyLength else {
      throw RESPError(
        .limitExceeded, at: start, "a reply is longer than \(limits.replyLength) bytes")
    }
  }
}
