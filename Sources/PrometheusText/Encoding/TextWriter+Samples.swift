extension TextWriter {
  /// Writes samples until the sink holds `limit` bytes.
  ///
  /// - Returns: the record to go on with.
  func samples(_ selection: SampleSelection, from start: Int, limit: Int) -> Int {
    if selection.exposition.format == .protobuf {
      return points(selection, from: start, limit: limit)
    }
    return lines(selection, from: start, limit: limit)
  }

  /// Copies lines, with the source's label between the name and the other labels.
  private func lines(_ selection: SampleSelection, from start: Int, limit: Int) -> Int {
    let exposition = selection.exposition
    var anew: SampleRecord.Traits = [.irregular, .reservedLabel, .quotedNames, .duplicate]
    if exposition.format != format { anew.formUnion([.timestamp, .exemplar]) }
    let label = selection.sourceLabel.map(Self.text(of:)) ?? []
    let selectsAll = selection.part.suffixes.isSubset(of: selection.suffixes)
    return exposition.bytes.withUnsafeBufferPointer { bytes in
      exposition.records.withUnsafeBufferPointer { records in
        label.withUnsafeBufferPointer { label in
          var index = start
          guard let bytes = bytes.baseAddress else { return selection.part.records.upperBound }
          while index < selection.part.records.upperBound, sink.count < limit {
            let record = records[index]
            index &+= 1
            if !selectsAll, !selection.suffixes.contains(record.suffix) { continue }
            if !record.traits.isDisjoint(with: anew) {
              if !record.traits.contains(.duplicate) { line(record, selection) }
              continue
            }
            copy(record, bytes, label)
          }
          return index
        }
      }
    }
  }

  @inline(__always)
  private func copy(
    _ record: SampleRecord, _ bytes: UnsafePointer<UInt8>, _ label: UnsafeBufferPointer<UInt8>
  ) {
    let start = Int(record.start)
    let length = Int(record.end) &- start
    sink.reserve(length &+ label.count &+ 4)
    guard let text = label.baseAddress, label.count > 0 else {
      sink.append(bytes + start, length)
      sink.append(UInt8(ascii: "\n"))
      return
    }
    let offset = Int(record.labels)
    let isBare = record.traits.contains(.bare)
    sink.append(bytes + start, offset)
    if isBare { sink.append(UInt8(ascii: "{")) }
    sink.append(text, label.count)
    sink.append(isBare ? UInt8(ascii: "}") : UInt8(ascii: ","))
    sink.append(bytes + start + offset, length &- offset)
    sink.append(UInt8(ascii: "\n"))
  }

  /// Writes a line anew.
  private func line(_ record: SampleRecord, _ selection: SampleSelection) {
    let line = selection.exposition.line(record)
    let isFromOpenMetrics = selection.exposition.format == .openMetrics
    self.line(
      name: rules.name(of: selection.part, record.suffix),
      labels: rules.labels(line.labels, source: selection.sourceLabel), value: line.value,
      timestamp: line.timestamp.flatMap { convert($0, isFromOpenMetrics) },
      exemplar: line.exemplar)
  }

  private func convert(_ timestamp: String, _ isFromOpenMetrics: Bool) -> String? {
    if isFromOpenMetrics == isOpenMetrics { return timestamp }
    if isFromOpenMetrics { return UnixTime(timestamp).map { String($0.milliseconds) } }
    return Int64(timestamp).map { UnixTime(milliseconds: $0).text }
  }

  private func points(_ selection: SampleSelection, from start: Int, limit: Int) -> Int {
    var index = start
    while index < selection.part.records.upperBound, sink.count < limit {
      let record = selection.exposition.records[index]
      index += 1
      guard !record.traits.contains(.duplicate),
        let point = selection.exposition.point(record)
      else { continue }
      let labels = rules.labels(point.labels, source: selection.sourceLabel)
      let timestamp = point.timestamp.map {
        isOpenMetrics ? UnixTime(milliseconds: $0).text : String($0)
      }
      for line in point.lines(of: selection.part, withCreated: isOpenMetrics)
      where selection.suffixes.contains(line.suffix) {
        var all = labels
        if let (name, bound) = line.bound {
          all.append(
            SeriesLabel(
              name, isOpenMetrics ? Self.openMetricsText(bound) : ExpositionEncoder.text(of: bound))
          )
        }
        self.line(
          name: rules.name(of: selection.part, line.suffix), labels: all,
          value: line.createdText ?? ExpositionEncoder.text(of: line.value), timestamp: timestamp,
          exemplar: line.exemplar.map(Self.text(of:)))
      }
    }
    return index
  }

  /// A bound as OpenMetrics wants it: with a point.
  private static func openMetricsText(_ value: Double) -> String {
    let text = ExpositionEncoder.text(of: value)
    return value.isFinite && !text.contains(where: { ".e".contains($0) }) ? text + ".0" : text
  }

  private static func text(of exemplar: MetricPoint.Exemplar) -> SampleLine.Exemplar {
    SampleLine.Exemplar(
      labels: exemplar.labels, value: ExpositionEncoder.text(of: exemplar.value),
      timestamp: exemplar.timestamp?.text)
  }
}
