/// Writes families, one after the other, in the format that a scraper gets.
///
/// For each family: ``begin(_:)``, ``append(_:from:)`` for each selection until it says that it is
/// through, ``end()``; last of all ``finish()``. The bytes may be taken whenever there are many.
package struct FamilyWriter {
  /// What was written and not taken yet.
  package let sink: ByteSink

  private let output: NegotiatedFormat
  private let text: TextWriter
  private var messages: ProtobufFamilyWriter
  private let chunk: Int

  /// - Parameter chunk: how many bytes are to be taken at once, about; a protobuf message stays
  ///   whole.
  package init(_ output: NegotiatedFormat, chunk: Int = 256 * 1024) {
    self.output = output
    self.chunk = chunk
    sink = ByteSink(capacity: output.format == .protobuf ? 4096 : chunk + 8192)
    text = TextWriter(output, sink: sink)
    messages = ProtobufFamilyWriter(LabelRules(escaping: output.escaping), sink: sink)
  }

  /// Whether so much is there that it should be taken.
  package var isFull: Bool { sink.count >= chunk }

  package mutating func begin(_ head: FamilyHead) {
    if output.format == .protobuf { messages.begin(head) } else { text.head(head) }
  }

  /// Writes samples, until there is enough to be taken.
  ///
  /// - Parameter record: where to go on; nil at the start of the selection.
  /// - Returns: where to go on; nil at its end.
  package mutating func append(_ selection: SampleSelection, from record: Int?) -> Int? {
    guard output.format != .protobuf else {
      messages.append(selection)
      return nil
    }
    let next = text.samples(
      selection, from: record ?? selection.part.records.lowerBound, limit: chunk)
    return next < selection.part.records.upperBound ? next : nil
  }

  package mutating func end() {
    if output.format == .protobuf { messages.end() }
  }

  package mutating func finish() {
    if output.format == .openMetrics { sink.append("# EOF\n") }
  }
}
