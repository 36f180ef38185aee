/// Reads XML as services of AWS write it, piece by piece as it comes in.
///
/// Elements, text, CDATA, the five entities and character references; comments and processing
/// instructions are passed over, and so are attributes. A document type is refused: no service
/// sends one, and what it can define has no bounds. Pieces may be cut anywhere.
struct XMLReader {
  enum Event: Hashable {
    case start(String)
    case end(String)
    /// Never empty. One text may come as several.
    case text(String)
  }

  /// What a document may cost.
  struct Limits {
    var depth = 32
    var nameBytes = 256
    /// Of a tag with its attributes, a comment, or a text between two tags.
    var tokenBytes = 64 << 10
  }

  private let limits: Limits
  private var input: [UInt8] = []
  private var position = 0
  private var open: [String] = []
  private var hasRoot = false
  /// The end of an element that has its start in the same tag.
  private var pendingEnd: String?

  init(limits: Limits = Limits()) { self.limits = limits }

  mutating func append(_ bytes: some Sequence<UInt8>) {
    if position > 0 {
      input.removeFirst(position)
      position = 0
    }
    input.append(contentsOf: bytes)
  }

  /// Whether the outermost element has ended.
  var isComplete: Bool { hasRoot && open.isEmpty && pendingEnd == nil }

  /// The next event; nil if it takes more input, or nothing is left.
  mutating func next() throws(XMLError) -> Event? {
    if let name = pendingEnd {
      pendingEnd = nil
      return .end(name)
    }
    while position < input.count {
      guard input[position] == UInt8(ascii: "<") else {
        guard let text = try readText() else { return nil }
        if open.isEmpty {
          guard text.allSatisfy(\.isXMLSpace) else { throw .malformed("text outside of elements") }
        } else if !text.isEmpty {
          return .text(try Self.resolve(text))
        }
        continue
      }
      switch try readMarkup() {
      case .event(let event): return event
      case .skipped: continue
      case .needsMore: return nil
      }
    }
    return nil
  }

  // MARK: Text

  /// The bytes up to the next tag; nil if the tag is not there yet.
  private mutating func readText() throws(XMLError) -> ArraySlice<UInt8>? {
    guard let end = input[position...].firstIndex(of: UInt8(ascii: "<")) else {
      // Space behind the end needs no tag to end it.
      if isComplete, input[position...].allSatisfy(\.isXMLSpace) { position = input.count }
      guard input.count - position <= limits.tokenBytes else { throw .tooLong }
      return nil
    }
    guard end - position <= limits.tokenBytes else { throw .tooLong }
    defer { position = end }
    return input[position..<end]
  }

  private static func resolve(_ bytes: ArraySlice<UInt8>) throws(XMLError) -> String {
    guard bytes.contains(UInt8(ascii: "&")) else { return try text(bytes) }
    var output: [UInt8] = []
    var rest = bytes
    while let start = rest.firstIndex(of: UInt8(ascii: "&")) {
      output.append(contentsOf: rest[..<start])
      guard let end = rest[start...].firstIndex(of: UInt8(ascii: ";")) else {
        throw .malformed("an entity without an end")
      }
      let name = String(decoding: rest[(start + 1)..<end], as: UTF8.self)
      guard let scalar = scalar(named: name) else { throw .malformed("an unknown entity") }
      output.append(contentsOf: String(Character(scalar)).utf8)
      rest = rest[(end + 1)...]
    }
    output.append(contentsOf: rest)
    return try text(output[...])
  }

  private static func scalar(named name: String) -> Unicode.Scalar? {
    switch name {
    case "lt": return "<"
    case "gt": return ">"
    case "amp": return "&"
    case "quot": return "\""
    case "apos": return "'"
    default:
      guard name.hasPrefix("#"), name.utf8.count <= 10 else { return nil }
      let isHexadecimal = name.hasPrefix("#x")
      let digits = name.dropFirst(isHexadecimal ? 2 : 1)
      guard digits.first != "+", digits.first != "-" else { return nil }
      return UInt32(digits, radix: isHexadecimal ? 16 : 10).flatMap(Unicode.Scalar.init)
    }
  }

  private static func text(_ bytes: ArraySlice<UInt8>) throws(XMLError) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw .malformed("no UTF-8") }
    return text
  }

  // MARK: Markup

  private enum Markup {
    case event(Event)
    case skipped
    case needsMore
  }

  private mutating func readMarkup() throws(XMLError) -> Markup {
    for (start, end) in [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")] {
      switch input[position...].match(start) {
      case .no: continue
      case .maybe: return .needsMore
      case .yes: break
      }
      let begin = position + start.utf8.count
      guard let stop = try find(end, from: begin) else { return .needsMore }
      let content = input[begin..<stop]
      position = stop + end.utf8.count
      guard start == "<![CDATA[" else { return .skipped }
      if open.isEmpty { throw .malformed("text outside of elements") }
      return content.isEmpty ? .skipped : .event(.text(try Self.text(content)))
    }
    if input[position...].match("<!") == .yes { throw .malformed("a document type") }
    guard let stop = try findTagEnd() else { return .needsMore }
    let tag = input[(position + 1)..<stop]
    position = stop + 1
    return .event(try event(of: tag))
  }

  private func find(_ mark: String, from start: Int) throws(XMLError) -> Int? {
    let mark = Array(mark.utf8)
    var index = start
    while index + mark.count <= input.count {
      if input[index..<(index + mark.count)].elementsEqual(mark) { return index }
      index += 1
    }
    guard input.count - position <= limits.tokenBytes else { throw .tooLong }
    return nil
  }

  /// The `>` of a tag, which may also stand between quotation marks in it.
  private func findTagEnd() throws(XMLError) -> Int? {
    var quote: UInt8?
    for index in (position + 1)..<max(position + 1, input.count) {
      let byte = input[index]
      if let open = quote {
        if byte == open { quote = nil }
      } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
        quote = byte
      } else if byte == UInt8(ascii: ">") {
        return index
      } else if byte == UInt8(ascii: "<") {
        throw .malformed("a tag inside of a tag")
      }
    }
    guard input.count - position <= limits.tokenBytes else { throw .tooLong }
    return nil
  }

  private mutating func event(of tag: ArraySlice<UInt8>) throws(XMLError) -> Event {
    if tag.first == UInt8(ascii: "/") {
      let name = try Self.text(tag.dropFirst().trimmingXMLSpaceAtEnd())
      guard open.popLast() == name else { throw .malformed("an end without its start") }
      return .end(name)
    }
    let isEmpty = tag.last == UInt8(ascii: "/")
    let bytes = (isEmpty ? tag.dropLast() : tag).prefix { !$0.isXMLSpace }
    guard let first = bytes.first, first.isXMLNameStart, bytes.count <= limits.nameBytes else {
      throw .malformed("an element without a name")
    }
    guard !hasRoot || !open.isEmpty else { throw .malformed("a second outermost element") }
    guard open.count < limits.depth else { throw .tooDeep }
    let name = try Self.text(bytes)
    hasRoot = true
    if isEmpty { pendingEnd = name } else { open.append(name) }
    return .start(name)
  }
}

enum XMLError: Error, Hashable {
  /// What is wrong.
  case malformed(String)
  /// Deeper than ``XMLReader/Limits/depth``.
  case tooDeep
  /// A tag or text longer than ``XMLReader/Limits/tokenBytes``.
  case tooLong
}

extension ArraySlice<UInt8> {
  fileprivate enum Match {
    case yes, no
    /// So far.
    case maybe
  }

  fileprivate func match(_ mark: String) -> Match {
    var mark = mark.utf8.makeIterator()
    for byte in self {
      guard let expected = mark.next() else { return .yes }
      if byte != expected { return .no }
    }
    return mark.next() == nil ? .yes : .maybe
  }

  fileprivate func trimmingXMLSpaceAtEnd() -> ArraySlice<UInt8> {
    var slice = self
    while slice.last?.isXMLSpace == true { slice = slice.dropLast() }
    return slice
  }
}

extension UInt8 {
  fileprivate var isXMLSpace: Bool { self == 0x20 || self == 0x0a || self == 0x0d || self == 0x09 }

  fileprivate var isXMLNameStart: Bool {
    (0x41...0x5a).contains(self) || (0x61...0x7a).contains(self) || self == 0x5f || self == 0x3a
      || self >= 0x80
  }
}
