/// Reads the fields of a protobuf message, which lies in bytes that are checked as they are read.
///
/// See https://protobuf.dev/programming-guides/encoding/.
struct ProtobufReader {
  struct Fault: Error {
    let reason: String
  }

  /// The value of a field.
  enum Value {
    case varint(UInt64)
    case fixed64(UInt64)
    case fixed32(UInt32)
    case bytes(Range<Int>)
  }

  let bytes: UnsafeBufferPointer<UInt8>
  private(set) var position: Int
  private let end: Int

  init(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) {
    self.bytes = bytes
    position = range.lowerBound
    end = range.upperBound
  }

  var isAtEnd: Bool { position >= end }

  /// The next field; nil at the end of the message.
  mutating func next() throws(Fault) -> (number: UInt64, value: Value)? {
    if isAtEnd { return nil }
    let key = try varint()
    let number = key >> 3
    guard number > 0 else { throw Fault(reason: "a field has the number 0") }
    switch key & 7 {
    case 0: return (number, .varint(try varint()))
    case 1: return (number, .fixed64(try fixed(8)))
    case 2: return (number, .bytes(try lengthDelimited()))
    case 5: return (number, .fixed32(UInt32(truncatingIfNeeded: try fixed(4))))
    default: throw Fault(reason: "a field has a type that protobuf 3 does not know")
    }
  }

  mutating func varint() throws(Fault) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while position < end {
      let byte = bytes[position]
      position += 1
      guard shift < 63 || byte <= 1 else { break }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
      guard shift < 70 else { break }
    }
    throw Fault(reason: position < end ? "a number is too long" : "a message is cut off")
  }

  mutating func lengthDelimited() throws(Fault) -> Range<Int> {
    let count = try varint()
    guard count <= UInt64(end - position) else { throw Fault(reason: "a message is cut off") }
    let start = position
    position += Int(count)
    return start..<position
  }

  private mutating func fixed(_ count: Int) throws(Fault) -> UInt64 {
    guard end - position >= count else { throw Fault(reason: "a message is cut off") }
    var value: UInt64 = 0
    for offset in 0..<count { value |= UInt64(bytes[position + offset]) << UInt64(offset * 8) }
    position += count
    return value
  }

  func text(_ range: Range<Int>) throws(Fault) -> String {
    guard let base = bytes.baseAddress,
      UTF8Check.accepts(base + range.lowerBound, count: range.count)
    else { throw Fault(reason: "a text is not UTF-8") }
    return String(decoding: UnsafeBufferPointer(rebasing: bytes[range]), as: UTF8.self)
  }
}

extension ProtobufReader.Value {
  typealias Fault = ProtobufReader.Fault

  private static let wrongType = Fault(reason: "a field has another type than in the schema")

  func double() throws(Fault) -> Double {
    guard case .fixed64(let bits) = self else { throw Self.wrongType }
    return Double(bitPattern: bits)
  }

  func unsigned() throws(Fault) -> UInt64 {
    guard case .varint(let value) = self else { throw Self.wrongType }
    return value
  }

  func signed() throws(Fault) -> Int64 { Int64(bitPattern: try unsigned()) }

  func range() throws(Fault) -> Range<Int> {
    guard case .bytes(let range) = self else { throw Self.wrongType }
    return range
  }
}
