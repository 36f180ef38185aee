/// The identity of a trace: 16 bytes, not all zero.
package struct TraceID: Hashable, Sendable, CustomStringConvertible {
  package let high: UInt64
  package let low: UInt64

  /// `nil` if both are zero, which is no trace.
  package init?(high: UInt64, low: UInt64) {
    guard high != 0 || low != 0 else { return nil }
    self.high = high
    self.low = low
  }

  /// 32 lower-case hexadecimal digits.
  package var description: String { Hexadecimal.text(high) + Hexadecimal.text(low) }
}

/// The identity of a span within its trace: 8 bytes, not all zero.
package struct SpanID: Hashable, Sendable, CustomStringConvertible {
  package let value: UInt64

  /// `nil` for zero, which is no span.
  package init?(_ value: UInt64) {
    guard value != 0 else { return nil }
    self.value = value
  }

  /// 16 lower-case hexadecimal digits.
  package var description: String { Hexadecimal.text(value) }
}

/// Where in a trace the current work is: what `traceparent` and `tracestate` carry.
///
/// See https://www.w3.org/TR/trace-context/.
package struct TraceContext: Hashable, Sendable {
  package var traceID: TraceID

  /// The span that work from here on is a child of.
  package var spanID: SpanID

  /// Whether the caller may have recorded the trace.
  package var isSampled: Bool

  package var state: TraceState

  package init(
    traceID: TraceID, spanID: SpanID, isSampled: Bool, state: TraceState = TraceState()
  ) {
    self.traceID = traceID
    self.spanID = spanID
    self.isSampled = isSampled
    self.state = state
  }

  /// Reads the two headers; `nil` if `traceparent` is not valid, and then a trace starts anew.
  ///
  /// A `tracestate` that is not valid is dropped alone (section 3.3.1.5 of the specification).
  package init?(traceparent: String, tracestate: String? = nil) {
    var traceparent = traceparent
    let parsed = traceparent.withUTF8 { Self.parse($0) }
    guard let parsed else { return nil }
    self = parsed
    if let tracestate { state = TraceState(header: tracestate) ?? TraceState() }
  }

  /// The header for the next service, in version 00.
  package var traceparent: String { "00-\(traceID)-\(spanID)-\(isSampled ? "01" : "00")" }

  /// Section 3.2.2: `version "-" trace-id "-" parent-id "-" trace-flags`, lower case only; later
  /// versions may go on after another dash.
  private static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> TraceContext? {
    let dash = UInt8(ascii: "-")
    guard bytes.count >= 55, bytes[2] == dash, bytes[35] == dash, bytes[52] == dash,
      let version = Hexadecimal.value(bytes[0..<2]), version != 0xff,
      version == 0 ? bytes.count == 55 : bytes.count == 55 || bytes[55] == dash,
      let high = Hexadecimal.value(bytes[3..<19]), let low = Hexadecimal.value(bytes[19..<35]),
      let parent = Hexadecimal.value(bytes[36..<52]),
      let flags = Hexadecimal.value(bytes[53..<55]),
      let traceID = TraceID(high: high, low: low), let spanID = SpanID(parent)
    else { return nil }
    return TraceContext(traceID: traceID, spanID: spanID, isSampled: flags & 1 == 1)
  }
}

/// Numbers as lower-case hexadecimal digits.
enum Hexadecimal {
  /// The number of up to 16 digits; `nil` if any is not `0`–`9` or `a`–`f`.
  static func value(_ digits: some Sequence<UInt8>) -> UInt64? {
    var result: UInt64 = 0
    for digit in digits {
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        result = result << 4 | UInt64(digit - UInt8(ascii: "0"))
      case UInt8(ascii: "a")...UInt8(ascii: "f"):
        result = result << 4 | UInt64(digit - UInt8(ascii: "a") + 10)
      default: return nil
      }
    }
    return result
  }

  /// Always 16 digits.
  static func text(_ value: UInt64) -> String {
    String(unsafeUninitializedCapacity: 16) { text in
      for index in 0..<16 {
        let digit = UInt8(truncatingIfNeeded: value >> UInt64(60 - 4 * index)) & 15
        text[index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
      }
      return 16
    }
  }
}
