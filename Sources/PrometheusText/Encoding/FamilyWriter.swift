/// Writes families, one after the other, in the format that a scraper gets.
///
/// For each family: ``begin(_:)``, ``append(_:from:)`` for each selection until it says that it is
/// through, ``end()``; last of all ``finish()``. The bytes may be taken whenever there are many.
package struct FamilyWriter {
  /// What was written and not taken yet.
  package let sink: ByteSink

  private let output: NegotiatedFormat
  private let text: TextWriter
  private let rules: LabelRules
  /// The protobuf family that is being written, and how many metrics it has.
  private let family = ByteSink()
  private var head: FamilyHead?
  private var metrics = 0
  /// Samples of text, whichever part of whichever source they are of.
  private var groups = PointGroups(.unknown)
  private let chunk: Int

  /// - Parameter chunk: how many bytes are to be taken at once, about; a protobuf message stays
  ///   whole.
  package init(_ output: NegotiatedFormat, chunk: Int = 256 * 1024) {
    self.output = output
    self.chunk = chunk
    sink = ByteSink(capacity: output.format == .protobuf ? 4096 : chunk + 8192)
    rules = LabelRules(escaping: output.escaping)
    text = TextWriter(format: output.format, rules: rules, sink: sink)
  }

  /// Whether so much is there that it should be taken.
  package var isFull: Bool { sink.count >= chunk }

  package mutating func begin(_ head: FamilyHead) {
    guard output.format == .protobuf else { return text.head(head) }
    self.head = head
    metrics = 0
    groups = PointGroups(head.kind)
    family.removeAll()
    family.field(1, output.escaping.escape(metric: head.name))
    if !head.help.isEmpty { family.field(2, head.help) }
    family.field(3, head.kind.protobufType)
  }

  /// Writes samples, until there is enough to be taken.
  ///
  /// - Parameter record: where to go on; nil at the start of the selection.
  /// - Returns: where to go on; nil at its end.
  package mutating func append(_ selection: SampleSelection, from record: Int?) -> Int? {
    let start = record ?? selection.part.records.lowerBound
    guard output.format == .protobuf else {
      let next = text.samples(selection, from: start, limit: chunk)
      return next < selection.part.records.upperBound ? next : nil
    }
    guard let head else { return nil }
    if selection.exposition.format == .protobuf {
      if selection.part.suffixes.isSubset(of: selection.suffixes) {
        copyMetrics(selection)
      } else {
        singleValues(selection, head.kind)
      }
    } else {
      groupMetrics(selection)
    }
    return nil
  }

  package mutating func end() {
    guard output.format == .protobuf, let head else { return }
    for point in groups.points { append(point, head.kind) }
    groups = PointGroups(.unknown)
    if !head.unit.isEmpty { family.field(5, head.unit) }
    self.head = nil
    if metrics == 0 { return }
    sink.varint(UInt64(family.count))
    sink.append(family)
    family.removeAll()
  }

  package mutating func finish() {
    if output.format == .openMetrics { sink.append("# EOF\n") }
  }

  /// Copies messages and adds the source's label; the order of labels has no meaning.
  private mutating func copyMetrics(_ selection: SampleSelection) {
    let exposition = selection.exposition
    let added = ByteSink(capacity: 256)
    if let label = selection.sourceLabel { added.label(1, label) }
    var anew: SampleRecord.Traits = .reservedLabel
    if output.escaping != .allowUTF8 { anew.insert(.quotedNames) }
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

  /// Writes a message's labels anew and copies its other fields.
  private func rewrite(_ record: SampleRecord, _ selection: SampleSelection) {
    let message = ByteSink(capacity: record.range.count + 256)
    let own = selection.exposition.labels(record)
    for label in rules.labels(own, source: selection.sourceLabel) { message.label(1, label) }
    selection.exposition.bytes.withUnsafeBufferPointer { bytes in
      var reader = ProtobufReader(bytes, record.range)
      var start = reader.position
      while let field = try? reader.next() {
        if field.number != 1, let base = bytes.baseAddress {
          message.append(base + start, reader.position - start)
        }
        start = reader.position
      }
    }
    family.field(4, message)
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
      groups.add(line, record.suffix, isOpenMetrics: isOpenMetrics)
    }
  }

  /// Writes some of the values of summaries and histograms each on its own.
  private mutating func singleValues(_ selection: SampleSelection, _ kind: FamilyKind) {
    for index in selection.part.records {
      let record = selection.exposition.records[index]
      guard !record.traits.contains(.duplicate),
        let point = selection.exposition.point(record)
      else { continue }
      for line in point.lines(of: selection.part, withCreated: false)
      where selection.suffixes.contains(line.suffix) {
        var single = point
        if let (name, bound) = line.bound {
          single.labels.append(SeriesLabel(name, ExpositionEncoder.text(of: bound)))
        }
        single.content = .value(line.value, exemplar: nil, created: nil)
        single.labels = rules.labels(single.labels, source: selection.sourceLabel)
        append(single, kind)
      }
    }
  }

  private mutating func append(_ point: MetricPoint, _ kind: FamilyKind) {
    let message = ByteSink(capacity: 512)
    message.metric(point, kind)
    family.field(4, message)
    metrics += 1
  }
}
