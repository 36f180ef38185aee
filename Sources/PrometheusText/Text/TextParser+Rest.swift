extension TextParser {
  /// Reads what follows the value, to behind the newline.
  ///
  /// - Returns: where the line ends, blanks at its end not counted.
  @inline(__always)
  mutating func rest(
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
