/// Reads delimited messages `MetricFamily` and checks all that is in them.
struct ProtobufParser {
  struct Result {
    var parts: [ExpositionPart] = []
    var records: [SampleRecord] = []
    /// As lines of text.
    var sampleCount = 0
  }

  private typealias Fault = ProtobufReader.Fault

  /// The fields of a message `MetricFamily`.
  private struct Family {
    var name = ""
    var help = ""
    var unit = ""
    var kind = FamilyKind.counter
    /// Where its messages `Metric` are.
    var metrics: [Range<Int>] = []
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
      try limits.checkTime()
      let family: Family
      do throws(Fault) {
        family = try self.family(try reader.lengthDelimited())
      } catch {
        throw ExpositionError(place: .family(number), reason: error.reason)
      }
      if !family.metrics.isEmpty { try take(family) }
    }
    return result
  }

  private func family(_ range: Range<Int>) throws(Fault) -> Family {
    guard result.parts.count < limits.families else {
      throw Fault(reason: "more than \(limits.families) families")
    }
    var reader = ProtobufReader(bytes, range)
    var family = Family()
    var type: UInt64 = 0
    while let (number, value) = try reader.next() {
      switch number {
      case 1: family.name = try reader.text(value.range())
      case 2: family.help = try reader.text(value.range())
      case 3: type = try value.unsigned()
      case 4:
        guard result.records.count + family.metrics.count < limits.samples else {
          throw Fault(reason: "more than \(limits.samples) samples")
        }
        family.metrics.append(try value.range())
      case 5: family.unit = try reader.text(value.range())
      default: break
      }
    }
    guard !family.name.isEmpty, family.name.utf8.count <= limits.nameBytes else {
      throw Fault(reason: "the name is empty or too long")
    }
    guard let kind = FamilyKind(protobuf: type) else {
      throw Fault(reason: "the type of metric is unknown")
    }
    family.kind = kind
    return family
  }

  private mutating func take(_ family: Family) throws(ExpositionError) {
    let first = result.records.count
    let names = TextFamily(family.name, family.kind, in: .text)
    var suffixes = names.suffixes
    let nameHash = SeriesHash.name(family.name, seed: SeriesHash.seeds.name)
    for (index, range) in family.metrics.enumerated() {
      if index & 0x3FF == 0 { try limits.checkTime() }
      do throws(Fault) {
        let point = try ProtobufReader.point(bytes, range, of: family.kind, limits: limits)
        // A counter without `_total` has no name for it.
        if point.created != nil, suffixes != [.none] { suffixes.insert(.created) }
        try take(point, range, of: family, nameHash: nameHash)
      } catch {
        throw ExpositionError(place: .family(number), reason: error.reason)
      }
    }
    var part = ExpositionPart(
      name: family.name, base: names.base, declared: family.name, kind: family.kind,
      records: first..<result.records.count)
    part.help = family.help
    part.unit = family.unit
    part.suffixes = suffixes
    result.parts.append(part)
  }

  private mutating func take(
    _ point: MetricPoint, _ range: Range<Int>, of family: Family, nameHash: UInt64
  ) throws(Fault) {
    var traits: SampleRecord.Traits = []
    if !LegacyName.accepts(family.name.utf8, allowsColon: true) { traits.insert(.quotedNames) }
    try check(point.labels, &traits)
    for exemplar in point.exemplars {
      var exemplarTraits = SampleRecord.Traits()
      try check(exemplar.labels, &exemplarTraits)
      traits.formUnion(exemplarTraits.intersection(.quotedNames))
    }
    if let bound = family.kind.boundLabel, point.labels.contains(where: { $0.name == bound }) {
      throw Fault(reason: "a metric has the label that its bounds have in text")
    }
    var hash: UInt64 = 0
    for label in point.labels {
      if label.name == reserved { traits.insert(.reservedLabel) }
      hash = hash &+ SeriesHash.label(label)
    }
    result.sampleCount += point.lineCount
    result.records.append(
      SampleRecord(
        start: UInt32(truncatingIfNeeded: range.lowerBound),
        end: UInt32(truncatingIfNeeded: range.upperBound), labels: 0, suffix: .none,
        traits: traits, hash: SeriesHash.series(name: nameHash, labels: hash)))
  }

  /// Refuses names that labels cannot have, and notes those that a text must put into quotes.
  private func check(
    _ labels: [SeriesLabel], _ traits: inout SampleRecord.Traits
  ) throws(Fault) {
    var names: Set<ExactText> = []
    for label in labels {
      guard !label.name.isEmpty, label.name.utf8.count <= limits.nameBytes,
        label.name != "__name__"
      else { throw Fault(reason: "a label has a name that labels cannot have") }
      guard names.insert(ExactText(label.name)).inserted else {
        throw Fault(reason: "a label is there twice")
      }
      if !LegacyName.accepts(label.name.utf8, allowsColon: false) { traits.insert(.quotedNames) }
    }
  }
}
