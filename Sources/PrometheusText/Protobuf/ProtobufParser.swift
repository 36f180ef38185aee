/// Reads delimited messages `MetricFamily` and checks all that is in them.
struct ProtobufParser {
  struct Result {
    var parts: [ExpositionPart] = []
    var records: [SampleRecord] = []
    /// As lines of text.
    var sampleCount = 0
  }

  private let bytes: UnsafeBufferPointer<UInt8>
  private let count: Int
  private let reserved: String
  private let limits: ExpositionLimits
  private var result = Result()
  private var number = 0

  init(
    _ bytes: UnsafeBufferPointer<UInt8>, count: Int, reservedLabel: String,
    limits: ExpositionLimits
  ) {
    self.bytes = bytes
    self.count = count
    reserved = reservedLabel
    self.limits = limits
  }

  mutating func parse() throws(ExpositionError) -> Result {
    var reader = ProtobufReader(bytes, 0..<count)
    while !reader.isAtEnd {
      number += 1
      do throws(ProtobufReader.Fault) {
        try family(try reader.lengthDelimited())
      } catch {
        throw ExpositionError(place: .family(number), reason: error.reason)
      }
    }
    return result
  }

  private mutating func family(_ range: Range<Int>) throws(ProtobufReader.Fault) {
    guard result.parts.count < limits.families else {
      throw ProtobufReader.Fault(reason: "more than \(limits.families) families")
    }
    var reader = ProtobufReader(bytes, range)
    var (name, help, unit, type) = ("", "", "", UInt64(0))
    var metrics: [Range<Int>] = []
    while let (number, value) = try reader.next() {
      switch number {
      case 1: name = try reader.text(value.range())
      case 2: help = try reader.text(value.range())
      case 3: type = try value.unsigned()
      case 4: metrics.append(try value.range())
      case 5: unit = try reader.text(value.range())
      default: break
      }
    }
    guard !name.isEmpty, name.utf8.count <= limits.nameBytes else {
      throw ProtobufReader.Fault(reason: "the name is empty or too long")
    }
    guard let kind = FamilyKind(protobuf: type) else {
      throw ProtobufReader.Fault(reason: "the type of metric is unknown")
    }
    if metrics.isEmpty { return }
    let first = result.records.count
    guard first + metrics.count <= limits.samples else {
      throw ProtobufReader.Fault(reason: "more than \(limits.samples) samples")
    }
    let nameHash = SeriesHash.name(name, seed: SeriesHash.seed)
    let isQuoted = !LegacyName.accepts(name.utf8, allowsColon: true)
    for range in metrics { try metric(range, nameHash: nameHash, isQuoted: isQuoted, kind) }
    let family = TextFamily(name, kind, in: .text)
    var part = ExpositionPart(
      name: name, base: family.base, declared: name, kind: kind,
      records: first..<result.records.count)
    part.help = help
    part.unit = unit
    part.suffixes = family.suffixes
    result.parts.append(part)
  }

  private mutating func metric(
    _ range: Range<Int>, nameHash: UInt64, isQuoted: Bool, _ kind: FamilyKind
  ) throws(ProtobufReader.Fault) {
    let point = try ProtobufReader.point(bytes, range, limits: limits)
    guard kind.matches(point.content) else {
      throw ProtobufReader.Fault(reason: "the value of a metric is not of the family's type")
    }
    var traits: SampleRecord.Traits = isQuoted ? .quotedNames : []
    var hash: UInt64 = 0
    var names: Set<String> = []
    for label in point.labels {
      guard !label.name.isEmpty, label.name.utf8.count <= limits.nameBytes,
        label.name != "__name__"
      else { throw ProtobufReader.Fault(reason: "a label has a name that labels cannot have") }
      guard names.insert(label.name).inserted else {
        throw ProtobufReader.Fault(reason: "a label is there twice")
      }
      if label.name == reserved { traits.insert(.reservedLabel) }
      if !LegacyName.accepts(label.name.utf8, allowsColon: false) { traits.insert(.quotedNames) }
      hash = hash &+ SeriesHash.label(label.name, label.value, seed: SeriesHash.seed)
    }
    result.sampleCount += point.lineCount
    result.records.append(
      SampleRecord(
        start: UInt32(truncatingIfNeeded: range.lowerBound),
        end: UInt32(truncatingIfNeeded: range.upperBound), labels: 0, suffix: .none,
        traits: traits, hash: SeriesHash.series(name: nameHash, labels: hash)))
  }
}

extension FamilyKind {
  /// `MetricType` of the schema.
  init?(protobuf type: UInt64) {
    switch type {
    case 0: self = .counter
    case 1: self = .gauge
    case 2: self = .summary
    case 3: self = .unknown
    case 4: self = .histogram
    case 5: self = .gaugeHistogram
    default: return nil
    }
  }

  var protobufType: UInt64 {
    switch self {
    case .counter: 0
    case .gauge, .info, .stateSet: 1
    case .summary: 2
    case .unknown: 3
    case .histogram: 4
    case .gaugeHistogram: 5
    }
  }

  fileprivate func matches(_ content: MetricPoint.Content) -> Bool {
    switch (self, content) {
    case (.summary, .summary), (.histogram, .histogram), (.gaugeHistogram, .histogram): true
    case (.summary, _), (.histogram, _), (.gaugeHistogram, _): false
    case (_, .value): true
    default: false
    }
  }
}
