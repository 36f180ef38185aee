extension TextParser {
  @inline(__always)
  func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

  @inline(__always)
  func isNameByte(_ byte: UInt8) -> Bool {
    (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 11
      || byte == UInt8(ascii: "_")
  }

  @inline(__always)
  func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

  /// Reads a name in front of braces or blanks; most lines have the name of the line before.
  @inline(__always)
  mutating func plainName() throws(ExpositionError) {
    let start = position
    let count = lastName.count
    if count > 0, start &+ count < end,
      ByteWords.equal(bytes + start, bytes + lastName.start, count: count),
      !isNameByte(bytes[start &+ count])
    {
      position = start &+ count
      if !beginsPart { return }
    } else {
      while isNameByte(bytes[position]) { position &+= 1 }
    }
    let name = start..<position
    guard !name.isEmpty, !isDigit(bytes[start]) else {
      throw fault("expected the name of a metric")
    }
    guard name.count <= limits.nameBytes else { throw fault("a name is too long") }
    let hash = SeriesHash.name(bytes + start, count: name.count, seed: seeds.name)
    try begin(text(name), hash: hash)
    lastName.start = start
    lastName.count = name.count
  }

  /// Reads `"name"`, and the labels behind it to the closing brace.
  mutating func nameInBraces(
    _ labels: inout SampleLabels, _ traits: inout Traits
  ) throws(ExpositionError) {
    skipBlanks()
    guard bytes[position] == UInt8(ascii: "\"") else {
      throw fault("expected the name of a metric, in quotes")
    }
    let name = try quotedName()
    skipBlanks()
    guard bytes[position] == UInt8(ascii: ",") || bytes[position] == UInt8(ascii: "}") else {
      throw fault("braces without a metric in front must begin with its name in quotes")
    }
    try begin(name, hash: SeriesHash.name(name, seed: seeds.name))
    lastName.count = 0
    try self.labels(&labels, &traits, expectsComma: true)
  }

  /// Notes the name of the sample whose line is being read, and the family that it is of.
  private mutating func begin(_ name: String, hash: UInt64) throws(ExpositionError) {
    lastName.hash = hash
    if !beginsPart, let suffix = family?.suffix(of: name) {
      // The last part goes on.
      lastName.suffix = suffix
      result.parts[result.parts.count - 1].suffixes.insert(SampleSuffixes(suffix))
      return
    }
    let (family, suffix) =
      if let family, let suffix = family.suffix(of: name) { (family, suffix) } else {
        declarations.family(of: name)
      }
    if let last = result.parts.last, last.kind == family.kind,
      ExactText(last.declared) == ExactText(family.declared)
    {
      // Goes on.
    } else {
      guard result.parts.count < limits.families else {
        throw fault("more than \(limits.families) families")
      }
      let next = result.records.count
      result.parts.append(
        ExpositionPart(
          name: family.name, base: family.base, declared: family.declared, kind: family.kind,
          records: next..<next))
    }
    self.family = family
    beginsPart = false
    lastName.suffix = suffix
    result.parts[result.parts.count - 1].suffixes.insert(SampleSuffixes(suffix))
  }
}
