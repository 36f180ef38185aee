/// The metrics of one source, checked: its bytes as they came, and where its samples are in them.
///
/// Nothing is copied out of the bytes but the names of families; samples are read again when they
/// have to be written in another way than they came.
package struct Exposition: Sendable {
  package let format: ExpositionFormat
  /// Runs of samples in the order in which they came, none empty.
  package internal(set) var parts: [ExpositionPart]
  /// Samples of series that were there before, with the same name and labels; they are not written.
  package internal(set) var duplicates = 0

  /// The source's bytes and ``ByteWords/padding`` more.
  let bytes: [UInt8]
  var records: [SampleRecord]

  /// The samples that are written, each of a protobuf message's counted.
  package internal(set) var sampleCount = 0

  /// Reads what a source sent, within the limits; ends early if the task is cancelled.
  ///
  /// - Parameters:
  ///   - bytes: of which the parser keeps the storage; room for 16 more saves a copy.
  ///   - reservedLabel: a label that will be added to each sample, empty for none: the source's own
  ///     is renamed.
  package init(
    parsing bytes: consuming [UInt8], format: ExpositionFormat, reservedLabel: String = "",
    limits: ExpositionLimits = ExpositionLimits()
  ) throws(ExpositionError) {
    let count = bytes.count
    var bytes = bytes
    // The last line may have no newline.
    bytes.append(UInt8(ascii: "\n"))
    bytes.append(contentsOf: repeatElement(0, count: ByteWords.padding - 1))
    switch format {
    case .text, .openMetrics:
      let result = try bytes.withUnsafeBufferPointer {
        (buffer) throws(ExpositionError) -> TextParser.Result in
        var parser = TextParser(
          buffer, count: count, format: format, reservedLabel: reservedLabel, limits: limits)
        return try parser.parse()
      }
      parts = result.parts
      records = result.records
    case .protobuf:
      let result = try bytes.withUnsafeBufferPointer {
        (buffer) throws(ExpositionError) -> ProtobufParser.Result in
        var parser = ProtobufParser(
          buffer, count: count, reservedLabel: reservedLabel, limits: limits)
        return try parser.parse()
      }
      parts = result.parts
      records = result.records
      sampleCount = result.sampleCount
    }
    self.bytes = bytes
    self.format = format
    let expanded = format == .protobuf ? sampleCount : records.count
    duplicates = try SeriesTable.markDuplicates(in: &self, limits)
    sampleCount = expanded - duplicates
  }
}

/// A run of samples of one family.
package struct ExpositionPart: Sendable {
  /// As text 0.0.4 and protobuf name the family: a counter's with `_total`.
  package let name: String
  /// What all names of samples begin with: `name` without `_total` or `_info`.
  package let base: String
  /// As the source's own format names the family.
  let declared: String
  package let kind: FamilyKind
  /// Resolved; empty: none.
  package internal(set) var help = ""
  /// Empty: none.
  package internal(set) var unit = ""
  /// Which of the kind's suffixes there are samples with.
  package internal(set) var suffixes: SampleSuffixes = []
  /// Of the exposition.
  package internal(set) var records: Range<Int>
}
