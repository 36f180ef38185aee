/// A sample of a text, read again: for what cannot be copied as it is.
struct SampleLine {
  struct Exemplar {
    var labels: [SeriesLabel]
    var value: String
    var timestamp: String?
  }

  var name: String
  var labels: [SeriesLabel] = []
  /// Numbers stay as they were written.
  var value = ""
  var timestamp: String?
  var exemplar: Exemplar?
}

extension Exposition {
  /// Reads the line of a record that the parser made.
  func line(_ record: SampleRecord) -> SampleLine {
    bytes.withUnsafeBufferPointer { buffer in
      var reader = LineReader(rest: UnsafeBufferPointer(rebasing: buffer[record.range])[...])
      return reader.line()
    }
  }
}

/// Reads a line that was checked; where it is not as expected, it ends early.
private struct LineReader {
  var rest: Slice<UnsafeBufferPointer<UInt8>>

  mutating func line() -> SampleLine {
    var line = SampleLine(name: "")
    if rest.first == UInt8(ascii: "{") {
      rest.removeFirst()
      skipBlanks()
      line.name = quoted()
      line.labels = labels()
    } else {
      line.name = token(until: UInt8(ascii: "{"))
      skipBlanks()
      if rest.first == UInt8(ascii: "{") {
        rest.removeFirst()
        line.labels = labels()
      }
    }
    skipBlanks()
    line.value = token()
    skipBlanks()
    if let byte = rest.first, byte != UInt8(ascii: "#") { line.timestamp = token() }
    skipBlanks()
    if rest.first == UInt8(ascii: "#") {
      rest.removeFirst()
      skipBlanks()
      _ = rest.popFirst()
      let labels = labels()
      skipBlanks()
      let value = token()
      skipBlanks()
      line.exemplar = SampleLine.Exemplar(
        labels: labels, value: value, timestamp: rest.isEmpty ? nil : token())
    }
    return line
  }

  /// Reads to behind the closing brace.
  private mutating func labels() -> [SeriesLabel] {
    var labels: [SeriesLabel] = []
    while true {
      skipBlanks()
      guard let byte = rest.first else { return labels }
      switch byte {
      case UInt8(ascii: "}"):
        rest.removeFirst()
        return labels
      case UInt8(ascii: ","): rest.removeFirst()
      default:
        let name = byte == UInt8(ascii: "\"") ? quoted() : token(until: UInt8(ascii: "="))
        skipBlanks()
        _ = rest.popFirst()
        skipBlanks()
        labels.append(SeriesLabel(name, quoted()))
      }
    }
  }

  private mutating func quoted() -> String {
    _ = rest.popFirst()
    var end = rest.startIndex
    while end < rest.endIndex, rest[end] != UInt8(ascii: "\"") {
      end += rest[end] == UInt8(ascii: "\\") ? 2 : 1
    }
    let contents = rest[..<min(end, rest.endIndex)]
    rest = rest[contents.endIndex...].dropFirst()
    return TextEscapes.resolve(UnsafeBufferPointer(rebasing: contents))
  }

  private mutating func token(until end: UInt8 = UInt8(ascii: " ")) -> String {
    let token = rest.prefix { $0 != end && $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
    rest = rest[token.endIndex...]
    return String(decoding: token, as: UTF8.self)
  }

  private mutating func skipBlanks() {
    rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
  }
}
