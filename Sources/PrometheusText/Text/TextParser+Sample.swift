extension TextParser {
  /// Reads a line with a sample, from its first byte to behind its newline.
  @inline(__always)
  mutating func sample() throws(ExpositionError) {
    let start = position
    guard result.records.count < limits.samples else {
      throw fault("more than \(limits.samples) samples")
    }
    var traits: Traits = []
    var labels = SampleLabels()
    var labelsOffset = 0
    if bytes[position] == UInt8(ascii: "{") {
      position &+= 1
      labelsOffset = 1
      traits.insert(.quotedNames)
      try nameInBraces(&labels, &traits)
    } else {
      try plainName()
      labelsOffset = position &- start
      if bytes[position] != UInt8(ascii: "{") {
        guard isBlank(bytes[position]) else { throw fault("expected a value behind the name") }
        skipBlanks()
        if bytes[position] == UInt8(ascii: "{") { traits.insert(.irregular) }
      }
      if bytes[position] == UInt8(ascii: "{") {
        position &+= 1
        labelsOffset = position &- start
        try self.labels(&labels, &traits, expectsComma: false)
        if labels.count == 0 { traits.insert(.irregular) }
      } else {
        traits.insert(.bare)
        if position &- start != labelsOffset &+ 1 || bytes[position &- 1] != UInt8(ascii: " ") {
          traits.insert(.irregular)
        }
      }
    }
    if !traits.contains(.bare) {
      if bytes[position] != UInt8(ascii: " ") { traits.insert(.irregular) }
      let blanks = position
      skipBlanks()
      if position != blanks &+ 1 { traits.insert(.irregular) }
    }
    try number("the value")
    var seriesHash = labels.hash
    let lineEnd = try rest(&traits, &seriesHash)
    result.records.append(
      SampleRecord(
        start: UInt32(truncatingIfNeeded: start), end: UInt32(truncatingIfNeeded: lineEnd),
        labels: UInt16(truncatingIfNeeded: labelsOffset), suffix: lastName.suffix, traits: traits,
        hash: SeriesHash.series(name: lastName.hash, labels: seriesHash)))
    result.parts[result.parts.count &- 1].records =
      result.parts[result.parts.count &- 1].records.lowerBound..<result.records.count
  }

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
  private mutating func plainName() throws(ExpositionError) {
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
  private mutating func nameInBraces(
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

  /// Reads what follows the value, to behind the newline.
  ///
  /// - Returns: where the line ends, blanks at its end not counted.
  @inline(__always)
  private mutating func rest(
    _ traits: inout Traits, _ hash: inout UInt64
  ) throws(ExpositionError) -> Int {
    var lineEnd = position
    if bytes[position] != UInt8(ascii: "\n") {
      lineEnd = try longRest(&traits, &hash)
    }
    position &+= 1
    return lineEnd
  }

  private mutating func longRest(
    _ traits: inout Traits, _ hash: inout UInt64
  ) throws(ExpositionError) -> Int {
    var lineEnd = position
    var isTimed = false
    while true {
      let blanks = position
      skipBlanks()
      let byte = bytes[position]
      if byte == UInt8(ascii: "\n") { return lineEnd }
      if byte == UInt8(ascii: "\r"), !isOpenMetrics, bytes[position + 1] == UInt8(ascii: "\n") {
        position += 1
        return lineEnd
      }
      guard position > blanks else { throw fault("unexpected text behind a number") }
      if position != blanks + 1 || bytes[blanks] == UInt8(ascii: "\t") {
        traits.insert(.irregular)
      }
      if byte == UInt8(ascii: "#"), isOpenMetrics, !traits.contains(.exemplar) {
        traits.insert(.exemplar)
        try exemplar(&traits)
      } else if !isTimed, !traits.contains(.exemplar) {
        isTimed = true
        traits.insert(.timestamp)
        try timestamp()
        // OpenMetrics lets a series have several points.
        if isOpenMetrics {
          let text = blanks + 1..<position
          hash =
            hash &+ SeriesHash.name(bytes + text.lowerBound, count: text.count, seed: seeds.name)
        }
      } else {
        throw fault("there is more than a value and a timestamp")
      }
      lineEnd = position
    }
  }

  /// Reads `# {labels} value [timestamp]`.
  private mutating func exemplar(_ traits: inout Traits) throws(ExpositionError) {
    position += 1
    if bytes[position] != UInt8(ascii: " ") { traits.insert(.irregular) }
    skipBlanks()
    guard bytes[position] == UInt8(ascii: "{") else {
      throw fault("expected the labels of an exemplar")
    }
    position += 1
    var labels = SampleLabels()
    var exemplarTraits: Traits = []
    try self.labels(&labels, &exemplarTraits, expectsComma: false)
    exemplarTraits.remove(.reservedLabel)
    traits.formUnion(exemplarTraits)
    skipBlanks()
    try number("the value of an exemplar")
    let end = position
    skipBlanks()
    guard bytes[position] != UInt8(ascii: "\n") else {
      position = end
      return
    }
    guard position > end else { throw fault("unexpected text behind a number") }
    try timestamp()
  }
}

/// What is known of a sample's labels while they are read.
struct SampleLabels {
  var count = 0
  /// The same whatever order they have.
  var hash: UInt64 = 0
  /// A bit for each name seen, some names sharing one.
  var seen: UInt64 = 0
}
