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
}

/// What is known of a sample's labels while they are read.
struct SampleLabels {
  var count = 0
  /// The same whatever order they have.
  var hash: UInt64 = 0
  /// A bit for each name seen, some names sharing one.
  var seen: UInt64 = 0
}
