import PrometheusText

/// Reads an exposition and writes it again, family by family in the order in which they came.
func rewrite(
  _ bytes: [UInt8], _ format: ExpositionFormat, as output: NegotiatedFormat,
  label: SeriesLabel? = nil
) throws -> [UInt8] {
  let exposition = try Exposition(
    parsing: bytes, format: format, reservedLabel: label?.name ?? "")
  var writer = FamilyWriter(output, chunk: 64)
  var result: [UInt8] = []
  func take() {
    result += writer.sink.bytes
    writer.sink.removeAll()
  }
  var names: [String] = []
  for part in exposition.parts where !names.contains(part.name) { names.append(part.name) }
  for name in names {
    let parts = exposition.parts.filter { $0.name == name }
    guard let first = parts.first else { continue }
    writer.begin(
      FamilyHead(name: name, kind: first.kind, help: first.help, unit: first.unit))
    for part in parts {
      let selection = SampleSelection(part, of: exposition, sourceLabel: label)
      var record: Int?
      repeat {
        record = writer.append(selection, from: record)
        take()
      } while record != nil
    }
    writer.end()
  }
  writer.finish()
  take()
  return result
}

func rewrite(
  _ text: String, _ format: ExpositionFormat = .text, as output: NegotiatedFormat,
  label: SeriesLabel? = nil
) throws -> String {
  String(decoding: try rewrite(Array(text.utf8), format, as: output, label: label), as: UTF8.self)
}

/// Numbers that are the same in each run.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  /// https://prng.di.unimi.it/splitmix64.c
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}
