/// Writes text 0.0.4 or OpenMetrics 1.0.
struct TextWriter {
  let output: NegotiatedFormat
  let rules: LabelRules
  let sink: ByteSink

  init(_ output: NegotiatedFormat, sink: ByteSink) {
    self.output = output
    self.sink = sink
    rules = LabelRules(escaping: output.escaping)
  }

  var format: ExpositionFormat { output.format }
  var isOpenMetrics: Bool { format == .openMetrics }

  func head(_ head: FamilyHead) {
    let name = head.name(in: output)
    if !head.help.isEmpty {
      comment("# HELP ", name)
      escaped(head.help, quotes: isOpenMetrics)
      sink.append(UInt8(ascii: "\n"))
    }
    comment("# TYPE ", name)
    sink.append(head.kind(in: output).word(in: format))
    sink.append(UInt8(ascii: "\n"))
    if isOpenMetrics, isPlain(unit: head.unit, of: name) {
      comment("# UNIT ", name)
      sink.append(head.unit)
      sink.append(UInt8(ascii: "\n"))
    }
  }

  /// Prometheus refuses an answer with a unit that is not at the end of the name; what is no word
  /// would end the line.
  private func isPlain(unit: String, of name: String) -> Bool {
    !unit.isEmpty && unit.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F }
      && name.utf8.suffix(unit.utf8.count + 1).elementsEqual(("_" + unit).utf8)
  }

  private func comment(_ start: StaticString, _ name: String) {
    sink.append(start)
    if isLegacy(name) { sink.append(name) } else { quoted(name) }
    sink.append(UInt8(ascii: " "))
  }

  /// Writes a line.
  func line(
    name: String, labels: [SeriesLabel], value: String, timestamp: String?,
    exemplar: SampleLine.Exemplar?
  ) {
    let isQuoted = !isLegacy(name)
    if !isQuoted { sink.append(name) }
    if isQuoted || !labels.isEmpty {
      sink.append(UInt8(ascii: "{"))
      if isQuoted { quoted(name) }
      self.labels(labels, isFirst: !isQuoted)
      sink.append(UInt8(ascii: "}"))
    }
    sink.append(UInt8(ascii: " "))
    sink.append(value)
    if let timestamp {
      sink.append(UInt8(ascii: " "))
      sink.append(timestamp)
    }
    if let exemplar, isOpenMetrics {
      sink.append(" # {")
      self.labels(rules.labels(exemplar.labels, source: nil), isFirst: true)
      sink.append("} ")
      sink.append(exemplar.value)
      if let timestamp = exemplar.timestamp {
        sink.append(UInt8(ascii: " "))
        sink.append(timestamp)
      }
    }
    sink.append(UInt8(ascii: "\n"))
  }

  private func labels(_ labels: [SeriesLabel], isFirst: Bool) {
    var isFirst = isFirst
    for label in labels {
      if !isFirst { sink.append(UInt8(ascii: ",")) }
      isFirst = false
      if LegacyName.accepts(label.name.utf8, allowsColon: false) {
        sink.append(label.name)
      } else {
        quoted(label.name)
      }
      sink.append(UInt8(ascii: "="))
      quoted(label.value)
    }
  }

  /// A label and the value as they stand in braces.
  static func text(of label: SeriesLabel) -> [UInt8] {
    let sink = ByteSink()
    let writer = TextWriter(NegotiatedFormat(.text, escaping: .allowUTF8), sink: sink)
    writer.labels([label], isFirst: true)
    return sink.bytes
  }

  private func isLegacy(_ name: String) -> Bool {
    LegacyName.accepts(name.utf8, allowsColon: true)
  }

  private func quoted(_ text: String) {
    sink.append(UInt8(ascii: "\""))
    escaped(text, quotes: true)
    sink.append(UInt8(ascii: "\""))
  }

  private func escaped(_ text: String, quotes: Bool) {
    TextEscapes.escape(text, quotes: quotes) { sink.append($0) }
  }
}
