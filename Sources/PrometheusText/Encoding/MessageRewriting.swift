/// Copies a message `Metric` with other labels: what it does not know stays as it is.
struct MessageRewriting {
  enum Message {
    case metric, counter, histogram, bucket, exemplar

    /// The message in a field, if there are labels in it.
    func message(in field: UInt64) -> Message? {
      switch (self, field) {
      case (.metric, 3): .counter
      case (.metric, 7): .histogram
      case (.histogram, 3): .bucket
      case (.counter, 2), (.bucket, 3), (.histogram, 16): .exemplar
      default: nil
      }
    }
  }

  let rules: LabelRules
  let source: SeriesLabel?

  func copy(
    _ range: Range<Int>, of bytes: UnsafeBufferPointer<UInt8>, as message: Message
  ) -> ByteSink {
    let copy = ByteSink(capacity: range.count + 256)
    let hasLabels = message == .metric || message == .exemplar
    var labels: [SeriesLabel] = []
    var reader = ProtobufReader(bytes, range)
    var start = reader.position
    // The parser has checked all of it.
    while let field = try? reader.next() {
      if case .bytes(let inner) = field.value, hasLabels, field.number == 1 {
        if let label = try? ProtobufReader.label(bytes, inner) { labels.append(label) }
      } else if case .bytes(let inner) = field.value,
        let child = message.message(in: field.number)
      {
        copy.field(field.number, self.copy(inner, of: bytes, as: child))
      } else if let base = bytes.baseAddress {
        copy.append(base + start, reader.position - start)
      }
      start = reader.position
    }
    let added = message == .metric ? source : nil
    for label in hasLabels ? rules.labels(labels, source: added) : [] { copy.label(1, label) }
    return copy
  }
}
