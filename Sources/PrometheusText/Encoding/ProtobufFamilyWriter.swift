/// Writes messages `MetricFamily`, each as a whole: its length comes first.
struct ProtobufFamilyWriter {
  private let rules: LabelRules
  private let sink: ByteSink
  /// The family that is being written, and how many metrics it has.
  private var head = FamilyHead(name: "", kind: .unknown)
  private let family = ByteSink()
  private var metrics = 0
  /// Samples of text, whichever part of whichever source they are of.
  private var groups = PointGroups(.unknown)

  init(_ rules: LabelRules, sink: ByteSink) {
    self.rules = rules
    self.sink = sink
  }

  mutating func begin(_ head: FamilyHead) {
    groups = PointGroups(head.kind)
    open(head, name: rules.escaping.escape(metric: head.name))
  }

  private mutating func open(_ head: FamilyHead, name: String) {
    self.head = head
    metrics = 0
    family.removeAll()
    family.field(1, name)
    if !head.help.isEmpty { family.field(2, head.help) }
    family.field(3, head.kind.protobufType)
  }

  mutating func append(_ selection: SampleSelection) {
    let part = selection.part
    if selection.exposition.format != .protobuf {
      return groupMetrics(selection)
    }
    if let point = groups.takePending() { append(point) }
    if part.suffixes.isSubset(of: selection.suffixes),
      part.kind.protobufType == head.kind.protobufType
    {
      copyMetrics(selection)
    } else {
      singleValues(selection)
    }
  }

  mutating func end() {
    for point in groups.finish() { append(point) }
    close()
    // What the messages of the family have no place for.
    let (base, strays) = (head.kind.stem(of: head.name) ?? head.name, groups.strays)
    for suffix in SampleSuffix.allCases {
      guard let points = strays[suffix] else { continue }
      let name = rules.escaping.escape(metric: base) + suffix.text
      open(FamilyHead(name: name, kind: .unknown), name: name)
      for point in points { append(point) }
      close()
    }
    groups = PointGroups(.unknown)
  }

  private func close() {
    if metrics == 0 { return }
    if !head.unit.isEmpty { family.field(5, head.unit) }
    sink.varint(UInt64(family.count))
    sink.append(family)
  }

  /// Copies messages and adds the source's label; the order of labels has no meaning.
  private mutating func copyMetrics(_ selection: SampleSelection) {
    let exposition = selection.exposition
    let added = ByteSink(capacity: 256)
    if let label = selection.sourceLabel { added.label(1, label) }
    var anew: SampleRecord.Traits = .reservedLabel
    if rules.escaping != .allowUTF8 { anew.insert(.quotedNames) }
    for index in selection.part.records {
      let record = exposition.records[index]
      if record.traits.contains(.duplicate) { continue }
      metrics += 1
      guard record.traits.isDisjoint(with: anew) else {
        rewrite(record, selection)
        continue
      }
      family.message(4, count: record.range.count + added.count)
      exposition.bytes.withUnsafeBufferPointer { bytes in
        if let base = bytes.baseAddress {
          family.append(base + record.range.lowerBound, record.range.count)
        }
      }
      family.append(added)
    }
  }

  /// Writes a message's labels anew, and those of its exemplars, and copies its other fields.
  private func rewrite(_ record: SampleRecord, _ selection: SampleSelection) {
    let rewriting = MessageRewriting(rules: rules, source: selection.sourceLabel)
    selection.exposition.bytes.withUnsafeBufferPointer { bytes in
      family.field(4, rewriting.copy(record.range, of: bytes, as: .metric))
    }
  }

  private mutating func groupMetrics(_ selection: SampleSelection) {
    let isOpenMetrics = selection.exposition.format == .openMetrics
    for index in selection.part.records {
      let record = selection.exposition.records[index]
      guard !record.traits.contains(.duplicate), selection.suffixes.contains(record.suffix) else {
        continue
      }
      var line = selection.exposition.line(record)
      line.labels = rules.labels(line.labels, source: selection.sourceLabel)
      if let exemplar = line.exemplar {
        line.exemplar?.labels = rules.labels(exemplar.labels, source: nil)
      }
      let done = groups.add(line, record.suffix, isOpenMetrics: isOpenMetrics)
      if let done { append(done) }
    }
  }

  /// Writes some of the values of summaries and histograms each on its own, or values of another
  /// type than their family's.
  private mutating func singleValues(_ selection: SampleSelection) {
    for index in selection.part.records {
      let record = selection.exposition.records[index]
      guard !record.traits.contains(.duplicate),
        let point = selection.exposition.point(record)
      else { continue }
      for line in point.lines(of: selection.part, withCreated: true)
      where selection.suffixes.contains(line.suffix) {
        var single = point
        if let (name, bound) = line.bound {
          single.labels.append(SeriesLabel(name, ExpositionEncoder.text(of: bound)))
        }
        single.content = .value(line.value, exemplar: nil, created: nil)
        single.labels = rules.labels(single.labels, source: selection.sourceLabel)
        append(single)
      }
    }
  }

  private mutating func append(_ point: MetricPoint) {
    let message = ByteSink(capacity: 512)
    message.metric(point, head.kind)
    family.field(4, message)
    metrics += 1
  }
}
