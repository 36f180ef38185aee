/// One pass over a JSON text: checks the grammar and records the tape.
///
/// Iterative, with its own stack, so that no input can exhaust the thread's.
struct JSONScanner {
  private let bytes: UnsafeBufferPointer<UInt8>
  private let limits: JSONDocument.Limits
  private var position = 0
  /// Tape indices of the containers that are open.
  private var open: [Int] = []
  private(set) var tape: [JSONTapeEntry] = []

  init(bytes: UnsafeBufferPointer<UInt8>, limits: JSONDocument.Limits) {
    self.bytes = bytes
    self.limits = limits
    // A Pod as the API server sends it has about one value per twelve bytes.
    tape.reserveCapacity(min(bytes.count / 12 + 8, limits.values))
  }

  mutating func scan() throws(JSONError) {
    repeat {
      skipWhitespace()
      try scanValue()
    } while try findNextValue()
    skipWhitespace()
    if position < bytes.count { throw JSONError(.trailingBytes, at: position) }
  }

  /// Scans a scalar or an empty container whole; of another container only the opening.
  private mutating func scanValue() throws(JSONError) {
    switch try current() {
    case UInt8(ascii: "{"): try openContainer(.object, closing: UInt8(ascii: "}"))
    case UInt8(ascii: "["): try openContainer(.array, closing: UInt8(ascii: "]"))
    case UInt8(ascii: "\""): try scanString()
    case UInt8(ascii: "t"): try scanLiteral("true", .bool)
    case UInt8(ascii: "f"): try scanLiteral("false", .bool)
    case UInt8(ascii: "n"): try scanLiteral("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try scanNumber()
    case let byte: throw JSONError(.unexpectedByte(byte), at: position)
    }
  }

  /// After a value: closes what ends here and moves to where the next value starts.
  /// - Returns: false at the end of the outermost value.
  private mutating func findNextValue() throws(JSONError) -> Bool {
    if justOpened {
      justOpened = false
      return true
    }
    while let container = open.last {
      skipWhitespace()
      let isObject = tape[container].kind == .object
      let byte = try current()
      position += 1
      if byte == UInt8(ascii: ",") {
        if isObject {
          skipWhitespace()
          try scanKey()
        }
        return true
      }
      guard byte == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
        throw JSONError(.unexpectedByte(byte), at: position - 1)
      }
      open.removeLast()
      finish(container)
    }
    return false
  }

  /// Set when a container was opened whose first value comes next.
  private var justOpened = false

  private mutating func openContainer(
    _ kind: JSONTapeEntry.Kind, closing: UInt8
  ) throws(JSONError) {
    guard open.count < limits.depth else {
      throw JSONError(.tooDeep(limit: limits.depth), at: position)
    }
    let container = try begin(kind)
    position += 1
    skipWhitespace()
    if try current() == closing {
      position += 1
      finish(container)
      return
    }
    open.append(container)
    if kind == .object { try scanKey() }
    justOpened = true
  }

  private mutating func scanKey() throws(JSONError) {
    let byte = try current()
    guard byte == UInt8(ascii: "\"") else {
      throw JSONError(.unexpectedByte(byte), at: position)
    }
    try scanString()
    skipWhitespace()
    let colon = try current()
    guard colon == UInt8(ascii: ":") else {
      throw JSONError(.unexpectedByte(colon), at: position)
    }
    position += 1
  }

  private mutating func scanString() throws(JSONError) {
    let entry = try begin(.string)
    position += 1
    let contents = position
    var isASCII = true
    while true {
      guard position < bytes.count else { throw JSONError(.unexpectedEnd, at: position) }
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") { break }
      if byte < 0x20 { throw JSONError(.controlCharacter, at: position) }
      if byte == UInt8(ascii: "\\") {
        tape[entry].isEscaped = true
        try scanEscape()
        continue
      }
      if byte >= 0x80 { isASCII = false }
      position += 1
    }
    if !isASCII, String(validating: bytes[contents..<position], as: UTF8.self) == nil {
      throw JSONError(.invalidUTF8, at: contents)
    }
    position += 1
    finish(entry)
  }

  private mutating func scanEscape() throws(JSONError) {
    guard position + 1 < bytes.count else { throw JSONError(.unexpectedEnd, at: position) }
    switch bytes[position + 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
      UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      position += 2
    case UInt8(ascii: "u"):
      guard position + 6 <= bytes.count else { throw JSONError(.unexpectedEnd, at: position) }
      for digit in bytes[position + 2..<position + 6] where !isHexDigit(digit) {
        throw JSONError(.invalidEscape, at: position)
      }
      position += 6
    default: throw JSONError(.invalidEscape, at: position)
    }
  }

  private mutating func scanLiteral(
    _ literal: StaticString, _ kind: JSONTapeEntry.Kind
  ) throws(JSONError) {
    let entry = try begin(kind)
    for index in 0..<literal.utf8CodeUnitCount {
      let byte = try current()
      guard byte == literal.utf8Start[index] else {
        throw JSONError(.unexpectedByte(byte), at: position)
      }
      position += 1
    }
    finish(entry)
  }

  /// `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`
  private mutating func scanNumber() throws(JSONError) {
    let entry = try begin(.number)
    skip(UInt8(ascii: "-"))
    if !skip(UInt8(ascii: "0")) { try scanDigits() }
    if skip(UInt8(ascii: ".")) { try scanDigits() }
    if skip(UInt8(ascii: "e")) || skip(UInt8(ascii: "E")) {
      if !skip(UInt8(ascii: "+")) { skip(UInt8(ascii: "-")) }
      try scanDigits()
    }
    finish(entry)
  }

  private mutating func scanDigits() throws(JSONError) {
    let start = position
    while position < bytes.count, isDigit(bytes[position]) { position += 1 }
    if position == start { throw JSONError(.invalidNumber, at: position) }
  }

  private mutating func begin(_ kind: JSONTapeEntry.Kind) throws(JSONError) -> Int {
    guard tape.count < limits.values else {
      throw JSONError(.tooManyValues(limit: limits.values), at: position)
    }
    tape.append(JSONTapeEntry(kind: kind, start: UInt32(position)))
    return tape.count - 1
  }

  private mutating func finish(_ entry: Int) {
    tape[entry].end = UInt32(position)
    tape[entry].next = UInt32(tape.count)
  }

  private func current() throws(JSONError) -> UInt8 {
    guard position < bytes.count else { throw JSONError(.unexpectedEnd, at: position) }
    return bytes[position]
  }

  @discardableResult
  private mutating func skip(_ byte: UInt8) -> Bool {
    guard position < bytes.count, bytes[position] == byte else { return false }
    position += 1
    return true
  }

  private mutating func skipWhitespace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x0A, 0x0D, 0x09: position += 1
      default: return
      }
    }
  }
}

private func isDigit(_ byte: UInt8) -> Bool {
  (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
}

private func isHexDigit(_ byte: UInt8) -> Bool {
  isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
}
