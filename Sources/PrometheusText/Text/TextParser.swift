/// Reads text 0.0.4 and OpenMetrics 1.0 in one pass over the bytes.
///
/// What it takes is what Prometheus takes, within ``ExpositionLimits``, and a little more in blanks,
/// line ends and the order of lines: what is not written as an encoder would is marked, and written
/// anew on the way out. What else it refuses would make Prometheus refuse everything that comes with
/// it.
///
/// All reads stay within the bytes and ``ByteWords/padding``: loops end at the newline that the
/// caller has put behind the last line.
struct TextParser {
  struct Result {
    var parts: [ExpositionPart] = []
    var records: [SampleRecord] = []
  }

  typealias Traits = SampleRecord.Traits

  let bytes: UnsafePointer<UInt8>
  let end: Int
  let format: ExpositionFormat
  let limits: ExpositionLimits
  let reserved: [UInt8]
  /// Of process-wide hashes, held here for speed.
  let seeds = SeriesHash.seeds
  var isOpenMetrics: Bool { format == .openMetrics }

  var position = 0
  var result = Result()
  var declarations: TextDeclarations
  /// The family that was declared or had a sample last.
  var family: TextFamily?
  /// Whether the next sample begins a part even if it has the name of the one before.
  var beginsPart = true
  var isEnded = false

  /// The name of the last sample, to be compared with the next.
  var lastName = (start: 0, count: 0, hash: UInt64(0), suffix: SampleSuffix.none)

  /// Hashes of the names of one sample's labels.
  var labelNames: ContiguousArray<UInt64>
  /// A label's value without its escapes.
  var unescaped: [UInt8] = []

  init(
    _ buffer: UnsafeBufferPointer<UInt8>, count: Int, format: ExpositionFormat,
    reservedLabel: String, limits: ExpositionLimits
  ) {
    guard let base = buffer.baseAddress, buffer.count >= count + ByteWords.padding else {
      preconditionFailure("the bytes must be padded")
    }
    bytes = base
    end = count
    self.format = format
    self.limits = limits
    reserved = Array(reservedLabel.utf8)
    declarations = TextDeclarations(format: format)
    labelNames = ContiguousArray(repeating: 0, count: limits.labelsPerSample)
    // A guess: lines are longer as a rule.
    result.records.reserveCapacity(min(count / 96, limits.samples))
  }

  mutating func parse() throws(ExpositionError) -> Result {
    var nextCheck = 0
    while position < end {
      if position >= nextCheck {
        try limits.checkTime()
        nextCheck = position + 256 << 10
      }
      skipBlanks()
      switch bytes[position] {
      case UInt8(ascii: "\n"):
        if isOpenMetrics, position < end { throw fault("an empty line, which OpenMetrics forbids") }
        position += 1
      case UInt8(ascii: "\r") where !isOpenMetrics && bytes[position + 1] == UInt8(ascii: "\n"):
        position += 2
      case _ where isEnded: throw fault("there is more behind '# EOF'")
      case UInt8(ascii: "#"): try comment()
      default: try sample()
      }
    }
    if isOpenMetrics, !isEnded {
      position = end
      throw fault("'# EOF' is missing: the answer is not whole")
    }
    finish()
    return result
  }

  /// Gives each part what the comments, wherever they were, say about it.
  private mutating func finish() {
    for index in result.parts.indices {
      let declared = result.parts[index].declared
      guard let declaration = declarations[declared] else { continue }
      result.parts[index].help = declaration.help ?? ""
      result.parts[index].unit = declaration.unit ?? ""
    }
  }

  @inline(__always)
  mutating func skipBlanks() {
    while bytes[position] == UInt8(ascii: " ") || bytes[position] == UInt8(ascii: "\t") {
      position &+= 1
    }
  }

  func fault(_ reason: String) -> ExpositionError {
    let before = UnsafeBufferPointer(start: bytes, count: min(position, end))
    let line = before.reduce(1) { $1 == UInt8(ascii: "\n") ? $0 + 1 : $0 }
    return ExpositionError(place: .line(line), reason: reason)
  }

  func text(_ range: Range<Int>) -> String {
    String(
      decoding: UnsafeBufferPointer(start: bytes + range.lowerBound, count: range.count),
      as: UTF8.self)
  }
}
