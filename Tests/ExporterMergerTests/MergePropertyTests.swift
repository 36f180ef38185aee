import ExporterMerger
import PrometheusText
import Testing

/// What holds of every answer, whatever the sources say.
@Suite struct MergePropertyTests {
  /// Families whose names get in each other's way.
  fileprivate struct RandomSource {
    static let bases = ["a", "a_total", "a_info", "a_bucket", "a_sum", "a_created", "b.c", "b_c"]

    let text: String
    let format: ExpositionFormat

    init(using random: inout SeededGenerator) {
      let isOpenMetrics = Bool.random(using: &random)
      format = isOpenMetrics ? .openMetrics : .text
      var kinds = [
        "counter", "gauge", "histogram", "summary", isOpenMetrics ? "unknown" : "untyped",
      ]
      if isOpenMetrics { kinds += ["info", "stateset", "gaugehistogram"] }
      var text = ""
      for base in Self.bases.shuffled(using: &random).prefix(Int.random(in: 1...4, using: &random))
      {
        let isTyped = Int.random(in: 0..<5, using: &random) > 0
        let kind = isTyped ? kinds.randomElement(using: &random) ?? "gauge" : "unknown"
        func line(_ suffix: String, _ label: String = "") {
          let name = base + suffix
          if name.contains(".") {
            text += "{\"\(name)\"\(label.isEmpty ? "" : "," + label)} 1\n"
          } else {
            text += "\(name){\(label)} 1\n"
          }
        }
        if isTyped { text += "# TYPE \(base.contains(".") ? "\"\(base)\"" : base) \(kind)\n" }
        switch kind {
        case "counter" where isOpenMetrics:
          line("_total", "x=\"1\"")
          line("_created", "x=\"1\"")
        case "info": line("_info", "x=\"1\"")
        case "histogram", "gaugehistogram":
          let mark = kind == "histogram" ? "_" : "_g"
          line("_bucket", "le=\"0.5\"")
          line("_bucket", "le=\"+Inf\"")
          if Bool.random(using: &random) { line(mark + "sum") }
          line(mark + "count")
        case "summary":
          line("", "quantile=\"0.5\"")
          if Bool.random(using: &random) { line("_sum") }
          line("_count")
        default: line("", "x=\"\(Int.random(in: 0...2, using: &random))\"")
        }
      }
      self.text = text + (isOpenMetrics ? "# EOF\n" : "")
    }
  }

  private func write(_ plan: MergePlan, _ output: NegotiatedFormat) -> [UInt8] {
    var writer = FamilyWriter(output, chunk: 1 << 20)
    for family in plan.families {
      writer.begin(family.head)
      for selection in family.selections { _ = writer.append(selection, from: nil) }
      writer.end()
    }
    writer.finish()
    return writer.sink.bytes
  }

  @Test func everyAnswerIsReadableNamesFamiliesOnceAndLosesWhatItCounts() throws {
    var random = SeededGenerator(state: 5)
    for _ in 0..<300 {
      let sources = (0..<Int.random(in: 1...4, using: &random)).map { _ in
        RandomSource(using: &random)
      }
      for output in ExpositionFormat.allCases.flatMap({ format in
        EscapingScheme.allCases.map { NegotiatedFormat(format, escaping: $0) }
      }) {
        var inputs: [MergeInput] = []
        for (number, source) in sources.enumerated() {
          var bytes = Array(source.text.utf8)
          var format = source.format
          if Bool.random(using: &random) {
            // As a source that speaks protobuf.
            let whole = try Exposition(parsing: bytes, format: format)
            let message = NegotiatedFormat(.protobuf, escaping: .allowUTF8)
            bytes = write(MergePlan([MergeInput(whole, label: nil)], for: message), message)
            format = .protobuf
          }
          inputs.append(
            MergeInput(
              try Exposition(parsing: bytes, format: format, reservedLabel: "src"),
              label: SeriesLabel("src", "\(number)")))
        }
        let plan = MergePlan(inputs, for: output)
        let bytes = write(plan, output)
        let answer: Exposition
        do {
          answer = try Exposition(parsing: bytes, format: output.format)
        } catch {
          Issue.record("\(error) in \(String(decoding: bytes, as: UTF8.self)) of \(sources)")
          continue
        }
        // Different names may be escaped to one.
        if output.escaping == .allowUTF8 { #expect(answer.duplicates == 0, "\(sources)") }
        // Times of creation are not counted in protobuf, where they are no samples.
        let isCountable =
          output.format != .protobuf && inputs.allSatisfy { $0.exposition.format != .protobuf }
        if isCountable {
          let dropped = plan.conflicts.reduce(0) { $0 + $1.dropped }
          let sent = inputs.reduce(0) { $0 + $1.exposition.sampleCount }
          #expect(answer.sampleCount + answer.duplicates == sent - dropped, "\(sources)")
        }
        if output.format != .protobuf {
          let types = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
            .filter { $0.hasPrefix("# TYPE ") }.map { $0.split(separator: " ")[2] }
          #expect(Set(types).count == types.count, "\(types) of \(sources)")
        }
      }
    }
  }
}

/// Numbers that are the same in each run.
private struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  /// https://prng.di.unimi.it/splitmix64.c
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}
