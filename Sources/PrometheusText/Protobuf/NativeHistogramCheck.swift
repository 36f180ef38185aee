/// Checks the fields of a native histogram, which are passed on as they are: an invalid one would
/// cost a scraper the whole answer.
///
/// The rules are those of Prometheus, which it applies when it stores a histogram.
struct NativeHistogramCheck {
  typealias Fault = ProtobufReader.Fault

  /// What there is below or above zero.
  private struct Side {
    /// How many buckets the spans have.
    var spanned: UInt64 = 0
    var hasSpans = false
    /// How many buckets have a count, in whole numbers and in fractions.
    var deltas: UInt64 = 0
    var floats: UInt64 = 0
    /// The last bucket's count, and that of all.
    var last: Int64 = 0
    var sum: UInt64 = 0

    var isEmpty: Bool { !hasSpans && deltas == 0 && floats == 0 }
  }

  /// Fields of the histogram that are not only native.
  var count: UInt64 = 0
  var floatCount = 0.0
  var sum = 0.0

  private var schema: Int64 = 0
  private var zeroThreshold = 0.0
  private var zeroCount: UInt64 = 0
  private var floatZeroCount = 0.0
  private var negative = Side()
  private var positive = Side()

  private static let wrongType = Fault(
    reason: "a field of a histogram has another type than in the schema")
  private static let tooLarge = Fault(reason: "a count of a native histogram is out of range")

  mutating func read(
    _ number: UInt64, _ value: ProtobufReader.Value, _ bytes: UnsafeBufferPointer<UInt8>
  ) throws(Fault) {
    switch number {
    case 5: schema = Self.signed(try value.unsigned())
    case 6: zeroThreshold = try value.double()
    case 7: zeroCount = try value.unsigned()
    case 8: floatZeroCount = try value.double()
    case 9: try Self.span(value, bytes, &negative)
    case 10: try Self.deltas(value, bytes, &negative)
    case 11: try Self.floats(value, bytes, &negative)
    case 12: try Self.span(value, bytes, &positive)
    case 13: try Self.deltas(value, bytes, &positive)
    case 14: try Self.floats(value, bytes, &positive)
    default: break
    }
  }

  /// Zigzag.
  private static func signed(_ value: UInt64) -> Int64 {
    Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }

  private static func span(
    _ value: ProtobufReader.Value, _ bytes: UnsafeBufferPointer<UInt8>, _ side: inout Side
  ) throws(Fault) {
    var reader = ProtobufReader(bytes, try value.range())
    var offset: Int64 = 0
    var length: UInt64 = 0
    while let (number, value) = try reader.next() {
      if number == 1 { offset = signed(try value.unsigned()) }
      if number == 2 { length = try value.unsigned() }
    }
    guard Int32(exactly: offset) != nil, UInt32(exactly: length) != nil else { throw tooLarge }
    guard !side.hasSpans || offset >= 0 else {
      throw Fault(reason: "a span of a native histogram lies before the one in front of it")
    }
    side.hasSpans = true
    side.spanned += length
  }

  private static func deltas(
    _ value: ProtobufReader.Value, _ bytes: UnsafeBufferPointer<UInt8>, _ side: inout Side
  ) throws(Fault) {
    switch value {
    case .varint(let delta): try add(signed(delta), to: &side)
    case .bytes(let range):
      var reader = ProtobufReader(bytes, range)
      while !reader.isAtEnd { try add(signed(try reader.varint()), to: &side) }
    default: throw wrongType
    }
  }

  private static func add(_ delta: Int64, to side: inout Side) throws(Fault) {
    let (last, isTooLarge) = side.last.addingReportingOverflow(delta)
    guard !isTooLarge else { throw tooLarge }
    guard last >= 0 else { throw Fault(reason: "a bucket of a native histogram is negative") }
    let (sum, isSumTooLarge) = side.sum.addingReportingOverflow(UInt64(last))
    guard !isSumTooLarge else { throw tooLarge }
    (side.last, side.sum) = (last, sum)
    side.deltas += 1
  }

  private static func floats(
    _ value: ProtobufReader.Value, _ bytes: UnsafeBufferPointer<UInt8>, _ side: inout Side
  ) throws(Fault) {
    func add(_ bits: UInt64) throws(Fault) {
      guard !(Double(bitPattern: bits) < 0) else {
        throw Fault(reason: "a bucket of a native histogram is negative")
      }
      side.floats += 1
    }
    switch value {
    case .fixed64(let bits): try add(bits)
    case .bytes(let range):
      guard range.count.isMultiple(of: 8), let base = bytes.baseAddress else {
        throw Fault(reason: "a list is cut off")
      }
      for start in stride(from: range.lowerBound, to: range.upperBound, by: 8) {
        try add(ByteWords.load(base + start))
      }
    default: throw wrongType
    }
  }

  /// Checks how the fields fit together.
  func finish() throws(Fault) {
    guard
      zeroThreshold > 0 || zeroCount > 0 || floatZeroCount > 0 || !negative.isEmpty
        || !positive.isEmpty
    else { return }
    // Wider ones, and those with bounds of their own, have no meaning in this schema.
    guard (-4...8).contains(schema) else {
      throw Fault(reason: "the schema of a native histogram is unknown")
    }
    let isFloat = floatCount > 0 || floatZeroCount > 0
    for side in [negative, positive] {
      guard side.spanned == (isFloat ? side.floats : side.deltas) else {
        throw Fault(reason: "the spans of a native histogram do not fit its buckets")
      }
    }
    if isFloat {
      guard !(floatZeroCount < 0), !(floatCount < 0) else {
        throw Fault(reason: "a bucket of a native histogram is negative")
      }
      return
    }
    let sums = negative.sum.addingReportingOverflow(positive.sum)
    let all = sums.partialValue.addingReportingOverflow(zeroCount)
    // What is no number is counted, but in no bucket.
    guard !sums.overflow, !all.overflow,
      all.partialValue == count || sum.isNaN && all.partialValue < count
    else {
      throw Fault(reason: "the count of a native histogram is not that of its buckets")
    }
  }
}
