package import NIOCore

extension ByteBuffer {
  /// Writes a value as a peer of that version can read it.
  ///
  /// Version 2 has fewer types: maps become arrays of keys and values in turn, sets and push
  /// messages arrays, doubles and texts bulk strings, booleans 1 and 0; attributes are left out.
  /// Values nest as deep as they were built or parsed: this recurses.
  package mutating func writeRESP(_ value: RESPValue, version: RESPVersion = .three) {
    switch value {
    case .simpleString(let text): writeRESPLine(UInt8(ascii: "+"), text)
    case .simpleError(let text): writeRESPLine(UInt8(ascii: "-"), text)
    case .integer(let number): writeRESPHeader(UInt8(ascii: ":"), number)
    case .bulkString(let bytes): writeRESPBulk(bytes)
    case .array(let elements): writeAggregate(UInt8(ascii: "*"), elements, version)
    default:
      if version == .three { writeVersion3(value) } else { writeVersion2(value) }
    }
  }

  private mutating func writeVersion3(_ value: RESPValue) {
    switch value {
    case .null: writeRESPLine(UInt8(ascii: "_"), "")
    case .double(let number): writeRESPLine(UInt8(ascii: ","), number.respText)
    case .boolean(let truth): writeRESPLine(UInt8(ascii: "#"), truth ? "t" : "f")
    case .bigNumber(let digits): writeRESPLine(UInt8(ascii: "("), digits)
    case .bulkError(let bytes):
      writeRESPHeader(UInt8(ascii: "!"), Int64(bytes.readableBytes))
      writeImmutableBuffer(bytes)
      writeLineEnd()
    case .verbatim(let format, let bytes):
      writeRESPHeader(UInt8(ascii: "="), Int64(bytes.readableBytes + 4))
      writeMultipleIntegers(format.first, format.second, format.third, UInt8(ascii: ":"))
      writeImmutableBuffer(bytes)
      writeLineEnd()
    case .map(let entries):
      writeRESPHeader(UInt8(ascii: "%"), Int64(entries.count))
      writeEntries(entries, .three)
    case .set(let elements): writeAggregate(UInt8(ascii: "~"), elements, .three)
    case .push(let elements): writeAggregate(UInt8(ascii: ">"), elements, .three)
    case .attributed(let attributes, let value):
      writeRESPHeader(UInt8(ascii: "|"), Int64(attributes.count))
      writeEntries(attributes, .three)
      writeRESP(value, version: .three)
    case .simpleString, .simpleError, .integer, .bulkString, .array: writeRESP(value)
    }
  }

  private mutating func writeVersion2(_ value: RESPValue) {
    switch value {
    case .null: writeRESPHeader(UInt8(ascii: "$"), -1)
    case .double(let number): writeRESPBulk(number.respText)
    case .boolean(let truth): writeRESPHeader(UInt8(ascii: ":"), truth ? 1 : 0)
    case .bigNumber(let digits): writeRESPBulk(digits)
    case .bulkError(let bytes): writeRESPLine(UInt8(ascii: "-"), String(buffer: bytes))
    case .verbatim(_, let bytes): writeRESPBulk(bytes)
    case .map(let entries):
      writeRESPHeader(UInt8(ascii: "*"), Int64(entries.count * 2))
      writeEntries(entries, .two)
    case .set(let elements), .push(let elements):
      writeAggregate(UInt8(ascii: "*"), elements, .two)
    case .attributed(_, let value): writeRESP(value, version: .two)
    case .simpleString, .simpleError, .integer, .bulkString, .array:
      writeRESP(value, version: .two)
    }
  }

  private mutating func writeAggregate(
    _ type: UInt8, _ elements: [RESPValue], _ version: RESPVersion
  ) {
    writeRESPHeader(type, Int64(elements.count))
    for element in elements { writeRESP(element, version: version) }
  }

  private mutating func writeEntries(_ entries: [RESPMapEntry], _ version: RESPVersion) {
    for entry in entries {
      writeRESP(entry.key, version: version)
      writeRESP(entry.value, version: version)
    }
  }
}

extension Double {
  /// As the protocol spells it; the standard library writes the rest the same way.
  fileprivate var respText: String { isNaN ? "nan" : description }
}
