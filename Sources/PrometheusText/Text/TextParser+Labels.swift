extension TextParser {
  /// Reads labels to behind the closing brace.
  ///
  /// - Parameter expectsComma: something came before, inside the braces.
  @inline(__always)
  mutating func labels(
    _ labels: inout SampleLabels, _ traits: inout Traits, expectsComma: Bool
  ) throws(ExpositionError) {
    var expectsComma = expectsComma
    while true {
      if expectsComma {
        if bytes[position] == UInt8(ascii: ",") {
          position &+= 1
          if bytes[position] == UInt8(ascii: "}") { traits.insert(.irregular) }
        } else if bytes[position] == UInt8(ascii: "}") {
          position &+= 1
          return
        } else {
          guard isBlank(bytes[position]) else { throw fault("expected ',' or '}' behind a label") }
          traits.insert(.irregular)
          skipBlanks()
          continue
        }
      }
      if isBlank(bytes[position]) {
        traits.insert(.irregular)
        skipBlanks()
      }
      if bytes[position] == UInt8(ascii: "}") {
        position &+= 1
        return
      }
      try label(&labels, &traits)
      expectsComma = true
    }
  }

  @inline(__always)
  private mutating func label(
    _ labels: inout SampleLabels, _ traits: inout Traits
  ) throws(ExpositionError) {
    let start = position
    let nameHash: UInt64
    if bytes[start] == UInt8(ascii: "\"") {
      traits.insert(.quotedNames)
      let name = try quotedName()
      if name.utf8.elementsEqual(reserved) { traits.insert(.reservedLabel) }
      nameHash = try self.nameHash(of: name)
    } else {
      while isNameByte(bytes[position]), bytes[position] != UInt8(ascii: ":") { position &+= 1 }
      let count = position &- start
      guard count > 0, !isDigit(bytes[start]) else { throw fault("expected the name of a label") }
      guard count <= limits.nameBytes else { throw fault("a name is too long") }
      if count == reserved.count { noteReserved(start, &traits) }
      if bytes[start] == UInt8(ascii: "_"), count == 8, text(start..<position) == "__name__" {
        throw fault("a label must not be named __name__")
      }
      nameHash = SeriesHash.name(bytes + start, count: count, seed: seeds.name)
    }
    try note(nameHash, &labels)
    if bytes[position] != UInt8(ascii: "=") || bytes[position &+ 1] != UInt8(ascii: "\"") {
      traits.insert(.irregular)
      skipBlanks()
      guard bytes[position] == UInt8(ascii: "=") else { throw fault("expected '=' behind a label") }
      position &+= 1
      skipBlanks()
      guard bytes[position] == UInt8(ascii: "\"") else {
        throw fault("expected the value of a label, in quotes")
      }
      position &-= 1
    }
    position &+= 2
    let valueStart = position
    let valueHash = try value(&traits)
    // An empty value is as good as no label.
    if position &- valueStart > 1 {
      labels.hash = labels.hash &+ SeriesHash.fold(nameHash, valueHash)
    }
  }

  /// Reads a label's value to behind its closing quote.
  ///
  /// - Returns: the hash of what it says, however that is escaped.
  @inline(__always)
  private mutating func value(_ traits: inout Traits) throws(ExpositionError) -> UInt64 {
    let start = position
    var hash = seeds.value
    var high: UInt64 = 0
    while true {
      let word = ByteWords.load(bytes + position)
      high |= word
      let found =
        ByteWords.matches(word, UInt8(ascii: "\"")) | ByteWords.matches(word, UInt8(ascii: "\\"))
        | ByteWords.matches(word, UInt8(ascii: "\n"))
      guard found != 0 else {
        hash = SeriesHash.fold(hash, word)
        position &+= 8
        continue
      }
      let more = found.trailingZeroBitCount / 8
      position &+= more
      hash = SeriesHash.end(hash, word, of: position &- start, behind: more)
      break
    }
    if bytes[position] != UInt8(ascii: "\"") {
      try escapes(&traits)
      high = .max
      hash = unescapedHash(start..<position)
    }
    if high & 0x8080_8080_8080_8080 != 0,
      !UTF8Check.accepts(bytes + start, count: position &- start)
    {
      throw fault("the value of a label is not UTF-8")
    }
    position &+= 1
    return hash
  }

  /// Reads on from a byte that ends no value by itself, to the closing quote.
  private mutating func escapes(_ traits: inout Traits) throws(ExpositionError) {
    while bytes[position] != UInt8(ascii: "\"") {
      switch bytes[position] {
      case UInt8(ascii: "\n"): throw fault("the value of a label does not end on its line")
      case UInt8(ascii: "\\"):
        switch bytes[position + 1] {
        case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "n"): position += 2
        case UInt8(ascii: "\n"): position += 1
        default:
          // Prometheus takes it for what it is.
          traits.insert(.irregular)
          position += 1
        }
      default: position += 1
      }
    }
  }

  private mutating func unescapedHash(_ range: Range<Int>) -> UInt64 {
    unescaped.removeAll(keepingCapacity: true)
    TextEscapes.resolve(
      UnsafeBufferPointer(start: bytes + range.lowerBound, count: range.count), into: &unescaped)
    let count = unescaped.count
    unescaped.append(contentsOf: repeatElement(0, count: ByteWords.padding))
    return unescaped.withUnsafeBufferPointer { buffer in
      buffer.baseAddress.map { SeriesHash.name($0, count: count, seed: seeds.value) } ?? 0
    }
  }

  @inline(__always)
  private func noteReserved(_ start: Int, _ traits: inout Traits) {
    for index in reserved.indices where bytes[start &+ index] != reserved[index] { return }
    if !reserved.isEmpty { traits.insert(.reservedLabel) }
  }

  private func nameHash(of name: String) throws(ExpositionError) -> UInt64 {
    guard name != "__name__" else { throw fault("a label must not be named __name__") }
    return SeriesHash.name(name, seed: seeds.name)
  }

  /// Refuses a second label of a name: Prometheus would refuse the whole answer.
  @inline(__always)
  private mutating func note(
    _ name: UInt64, _ labels: inout SampleLabels
  ) throws(ExpositionError) {
    let bit = 1 &<< (name & 63)
    if labels.seen & bit != 0, labelNames[..<labels.count].contains(name) {
      throw fault("a label is there twice")
    }
    labels.seen |= bit
    guard labels.count < labelNames.count else {
      throw fault("more than \(limits.labelsPerSample) labels")
    }
    labelNames[labels.count] = name
    labels.count &+= 1
  }

  /// Reads a name in quotes, with the escapes of a label's value.
  mutating func quotedName() throws(ExpositionError) -> String {
    let start = position + 1
    position = start
    while bytes[position] != UInt8(ascii: "\"") {
      if bytes[position] == UInt8(ascii: "\\") { position += 1 }
      guard bytes[position] != UInt8(ascii: "\n"), bytes[position] != 0 else {
        throw fault("a name in quotes does not end on its line")
      }
      position += 1
    }
    let range = start..<position
    guard !range.isEmpty else { throw fault("a name is empty") }
    guard range.count <= limits.nameBytes else { throw fault("a name is too long") }
    guard UTF8Check.accepts(bytes + start, count: range.count) else {
      throw fault("a name is not UTF-8")
    }
    position += 1
    return TextEscapes.resolve(UnsafeBufferPointer(start: bytes + start, count: range.count))
  }
}
