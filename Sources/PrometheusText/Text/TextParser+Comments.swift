extension TextParser {
  /// Reads a line that begins with `#`, to behind its newline.
  mutating func comment() throws(ExpositionError) {
    let newline = ByteWords.newline(bytes, from: position, end: end)
    var lineEnd = newline
    if !isOpenMetrics, lineEnd > position, bytes[lineEnd - 1] == UInt8(ascii: "\r") { lineEnd -= 1 }
    position += 1
    // Prometheus takes `#TYPE` for any comment.
    let isBlank = isBlank(bytes[position])
    skipBlanks()
    switch isBlank ? word(until: lineEnd) : "" {
    case "HELP":
      let name = try declaredName(until: lineEnd)
      declarations.set(help: try help(until: lineEnd), of: name)
      try open(name)
    case "TYPE":
      let name = try declaredName(until: lineEnd)
      guard let kind = FamilyKind(word(until: lineEnd), in: format) else {
        throw fault("an unknown type of metric")
      }
      try expectEnd(lineEnd)
      declarations.set(kind: kind, of: name)
      try open(name)
    case "UNIT" where isOpenMetrics:
      let name = try declaredName(until: lineEnd)
      let unit = word(until: lineEnd)
      try expectEnd(lineEnd)
      guard unit.isEmpty || ends(name, with: unit) else {
        throw fault("the name of a metric does not end with its unit")
      }
      declarations.set(unit: unit, of: name)
      try open(name)
    case "EOF" where isOpenMetrics:
      try expectEnd(lineEnd)
      isEnded = true
    default:
      if isOpenMetrics { throw fault("a comment that is none of HELP, TYPE, UNIT and EOF") }
    }
    position = newline + 1
  }

  /// What follows is about this family.
  private mutating func open(_ name: String) throws(ExpositionError) {
    guard declarations.count <= limits.families else {
      throw fault("more than \(limits.families) families")
    }
    family = declarations.family(declared: name)
    beginsPart = true
  }

  /// The bytes to the next blank, and the blanks skipped; empty if they are no UTF-8.
  private mutating func word(until lineEnd: Int) -> String {
    let start = position
    while position < lineEnd, !isBlank(bytes[position]) { position += 1 }
    let word = UTF8Check.accepts(bytes + start, count: position - start) ? start..<position : 0..<0
    while position < lineEnd, isBlank(bytes[position]) { position += 1 }
    return text(word)
  }

  private mutating func declaredName(until lineEnd: Int) throws(ExpositionError) -> String {
    if position < lineEnd, bytes[position] == UInt8(ascii: "\"") {
      let name = try quotedName()
      guard position <= lineEnd, position == lineEnd || isBlank(bytes[position]) else {
        throw fault("expected a blank behind a name")
      }
      while position < lineEnd, isBlank(bytes[position]) { position += 1 }
      return name
    }
    let name = word(until: lineEnd)
    guard LegacyName.accepts(name.utf8, allowsColon: true), name.utf8.count <= limits.nameBytes
    else { throw fault("expected the name of a metric") }
    return name
  }

  private mutating func help(until lineEnd: Int) throws(ExpositionError) -> String {
    let contents = UnsafeBufferPointer(start: bytes + position, count: max(0, lineEnd - position))
    guard UTF8Check.accepts(bytes + position, count: contents.count) else {
      throw fault("the help of a metric is not UTF-8")
    }
    return TextEscapes.resolve(contents, quotes: isOpenMetrics)
  }

  private func ends(_ name: String, with unit: String) -> Bool {
    name.utf8.suffix(unit.utf8.count + 1).elementsEqual(("_" + unit).utf8)
  }

  private func expectEnd(_ lineEnd: Int) throws(ExpositionError) {
    guard position >= lineEnd else { throw fault("there is more on the line than expected") }
  }
}
