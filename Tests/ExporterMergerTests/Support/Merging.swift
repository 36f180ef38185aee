import ExporterMerger
import PrometheusText
import Testing

typealias Merged = (text: String, conflicts: [MergeConflicts])

func merge(
  _ texts: [(String, ExpositionFormat)], as output: NegotiatedFormat = NegotiatedFormat(.text)
) throws -> Merged {
  let (bytes, conflicts) = try mergeBytes(
    texts.map { (Array($0.0.utf8), $0.1) }, as: output)
  return (String(decoding: bytes, as: UTF8.self), conflicts)
}

func mergeBytes(
  _ texts: [([UInt8], ExpositionFormat)], as output: NegotiatedFormat, isLabelled: Bool = true
) throws -> (bytes: [UInt8], conflicts: [MergeConflicts]) {
  let inputs = try texts.enumerated().map { number, text in
    MergeInput(
      try Exposition(parsing: text.0, format: text.1, reservedLabel: isLabelled ? "src" : ""),
      label: isLabelled ? SeriesLabel("src", ["a", "b", "c", "d"][number]) : nil)
  }
  let plan = MergePlan(inputs, for: output)
  var writer = FamilyWriter(output, chunk: 1 << 22)
  for family in plan.families {
    writer.begin(family.head)
    for selection in family.selections {
      var record: Int?
      repeat { record = writer.append(selection, from: record) } while record != nil
    }
    writer.end()
  }
  writer.finish()
  return (writer.sink.bytes, plan.conflicts)
}

func merge(_ texts: String...) throws -> Merged { try merge(texts.map { ($0, .text) }) }

/// A text as a source would say it in protobuf.
func protobuf(_ text: String, _ format: ExpositionFormat = .text) throws -> [UInt8] {
  try mergeBytes([(Array(text.utf8), format)], as: NegotiatedFormat(.protobuf), isLabelled: false)
    .bytes
}

/// What a reader of a protobuf answer finds.
func mergeByProtobuf(
  _ texts: [([UInt8], ExpositionFormat)],
  readAs output: NegotiatedFormat = NegotiatedFormat(.text)
) throws -> Merged {
  let (bytes, conflicts) = try mergeBytes(texts, as: NegotiatedFormat(.protobuf))
  let read = try mergeBytes([(bytes, .protobuf)], as: output, isLabelled: false).bytes
  return (String(decoding: read, as: UTF8.self), conflicts)
}
