/// A protobuf message, put together field by field.
struct Message {
  private(set) var bytes: [UInt8] = []

  init() {}

  init(_ body: (inout Message) -> Void) { body(&self) }

  /// Delimited messages `MetricFamily`.
  static func exposition(_ families: Message...) -> [UInt8] {
    families.flatMap { varint(UInt64($0.bytes.count)) + $0.bytes }
  }

  /// A family; `type` is the number of its `MetricType`.
  static func family(_ name: String, type: Int, unit: String = "", _ metrics: Message...)
    -> Message
  {
    Message { family in
      family.add(1, name)
      family.add(3, type)
      for metric in metrics { family.add(4, metric) }
      if !unit.isEmpty { family.add(5, unit) }
    }
  }

  static func label(_ name: String, _ value: String) -> Message {
    Message {
      $0.add(1, name)
      $0.add(2, value)
    }
  }

  /// A metric with a value in a field of its own: 2 for a gauge, 3 for a counter, 5 for neither.
  static func value(_ field: UInt64, _ value: Double, _ more: (inout Message) -> Void = { _ in })
    -> Message
  {
    Message { metric in
      metric.add(
        field,
        Message {
          $0.add(1, value)
          more(&$0)
        })
    }
  }

  mutating func add(_ field: UInt64, _ value: Int) {
    bytes += Self.varint(field << 3) + Self.varint(UInt64(bitPattern: Int64(value)))
  }

  /// Zigzag.
  mutating func add(_ field: UInt64, signed value: Int) {
    bytes +=
      Self.varint(field << 3) + Self.varint(UInt64(bitPattern: Int64(value << 1 ^ value >> 63)))
  }

  mutating func add(_ field: UInt64, _ value: Double) {
    bytes += Self.varint(field << 3 | 1)
    for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> (shift * 8))) }
  }

  mutating func add(_ field: UInt64, _ text: String) { add(field, Array(text.utf8)) }

  mutating func add(_ field: UInt64, _ message: Message) { add(field, message.bytes) }

  mutating func add(_ field: UInt64, _ body: (inout Message) -> Void) {
    add(field, Message(body))
  }

  mutating func add(_ field: UInt64, _ contents: [UInt8]) {
    bytes += Self.varint(field << 3 | 2) + Self.varint(UInt64(contents.count)) + contents
  }

  private static func varint(_ value: UInt64) -> [UInt8] {
    var value = value
    var bytes: [UInt8] = []
    while value >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    return bytes + [UInt8(value)]
  }
}
