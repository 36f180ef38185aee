import PrometheusText
import Testing

@Suite struct RoundTripTests {
  private static let outputs = ExpositionFormat.allCases.flatMap { format in
    EscapingScheme.allCases.map { NegotiatedFormat(format, escaping: $0) }
  }

  /// What is written is written the same when it is read and written again.
  private func expectStable(
    _ bytes: [UInt8], _ format: ExpositionFormat, _ label: SeriesLabel? = nil
  ) throws {
    // What text has no families for is taken apart by the merger, not by the writer.
    for output in Self.outputs where format != .openMetrics || output.format != .text {
      let once = try rewrite(bytes, format, as: output, label: label)
      let twice = try rewrite(once, output.format, as: output)
      #expect(
        once == twice,
        "\(String(decoding: once, as: UTF8.self)) is not \(String(decoding: twice, as: UTF8.self))")
    }
  }

  @Test(arguments: Fixture.all) func awkwardExpositionsComeOutWell(fixture: Fixture) throws {
    try expectStable(fixture.bytes(), fixture.format)
    try expectStable(fixture.bytes(), fixture.format, SeriesLabel("merger_url", "http://x"))
  }

  @Test(arguments: Fixture.all) func noSampleIsLostInText(fixture: Fixture) throws {
    let before = try Exposition(parsing: fixture.bytes(), format: fixture.format)
    let output = NegotiatedFormat(fixture.format == .openMetrics ? .openMetrics : .text)
    let written = try rewrite(
      fixture.bytes(), fixture.format, as: output, label: SeriesLabel("source", "x"))
    let after = try Exposition(parsing: written, format: output.format)
    #expect(after.sampleCount == before.sampleCount)
    #expect(after.duplicates == 0)
  }

  @Test(arguments: Fixture.all) func damagedBytesNeverBreakTheAnswer(fixture: Fixture) throws {
    var random = SeededGenerator(7)
    let original = try fixture.bytes()
    var taken = 0
    for _ in 0..<400 {
      var bytes = original
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let position = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[position] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: position)
        case 2:
          bytes.insert(
            Array(" \"\\\n{}#,=\t\r0e".utf8).randomElement(using: &random) ?? 0, at: position)
        default: bytes.removeSubrange(position...)
        }
        if bytes.isEmpty { bytes = [0] }
      }
      guard
        let written = try? rewrite(
          bytes, fixture.format, as: NegotiatedFormat(.text), label: SeriesLabel("s", "x"))
      else { continue }
      taken += 1
      #expect(throws: Never.self, "\(String(decoding: bytes, as: UTF8.self))") {
        try Exposition(parsing: written, format: .text)
      }
      for output in Self.outputs {
        let written = try rewrite(bytes, fixture.format, as: output)
        #expect(throws: Never.self, "\(String(decoding: bytes, as: UTF8.self))") {
          try Exposition(parsing: written, format: output.format)
        }
      }
    }
    #expect(taken > 0)
  }

  @Test(arguments: ExpositionFormat.allCases)
  func randomBytesAreRefusedOrTaken(format: ExpositionFormat) {
    var random = SeededGenerator(11)
    let alphabet = Array("ab_:{}\"\\= \n#,.0159eE+-TYPEHELP\r\t".utf8) + [0, 0x80, 0xC3, 0xFF]
    for _ in 0..<6000 {
      let count = Int.random(in: 0..<64, using: &random)
      let bytes = (0..<count).map { _ in
        Bool.random(using: &random)
          ? UInt8.random(in: 0...255, using: &random) : alphabet.randomElement(using: &random) ?? 0
      }
      _ = try? Exposition(parsing: bytes, format: format)
    }
  }

  @Test func randomFamiliesSurviveEveryPath() throws {
    var random = SeededGenerator(3)
    for _ in 0..<20 {
      let text = RandomExposition.text(using: &random)
      let bytes = Array(text.utf8)
      try expectStable(bytes, .text)
      let plain = NegotiatedFormat(.text, escaping: .allowUTF8)
      // Text that is regular is copied.
      #expect(try rewrite(text, as: plain) == text)
      // Protobuf has all that text has.
      let message = try rewrite(
        bytes, .text, as: NegotiatedFormat(.protobuf, escaping: .allowUTF8))
      #expect(
        String(decoding: try rewrite(message, .protobuf, as: plain), as: UTF8.self) == text)
    }
  }
}

/// Text as an encoder writes it, of families that are told apart by their names.
private enum RandomExposition {
  static func text(using random: inout SeededGenerator) -> String {
    var families: [MetricFamily] = []
    for number in 0..<Int.random(in: 1...6, using: &random) {
      let kind = MetricFamily.Kind.allCases.randomElement(using: &random) ?? .gauge
      let name = MetricName(sanitizing: "f\(number)" + (kind == .counter ? "_total" : "_x"))
      var family = MetricFamily(name, kind, help: Bool.random(using: &random) ? "help \\ \n" : "")
      for series in 0..<Int.random(in: 1...4, using: &random) {
        let value =
          (["", "\"", "\\", "\n", "é☃", "plain", "long value of a label"]
            .randomElement(using: &random) ?? "") + "\(series)"
        let labels = [MetricLabel(sanitizing: "l", value)]
        let timestamp =
          Bool.random(using: &random)
          ? Int64.random(in: 0...9_999_999_999_999, using: &random) : nil
        switch kind {
        case .histogram:
          family.appendHistogram(
            labels: labels, bounds: [0.25, 1], counts: [1, 2, 3], sum: 4.5)
        case .summary:
          family.samples += [
            Sample(name, labels: labels + [MetricLabel(sanitizing: "quantile", "0.5")], value: 7),
            Sample(name.appending("_sum"), labels: labels, value: 8.5),
            Sample(name.appending("_count"), labels: labels, value: 9),
          ]
        case .counter, .gauge, .untyped:
          let value =
            [0, 1, -2.5, 1e300, .infinity, -.infinity, .nan, 1e-9]
            .randomElement(using: &random) ?? 0
          family.samples.append(
            Sample(name, labels: labels, value: value, timestampMilliseconds: timestamp))
        }
      }
      families.append(family)
    }
    return String(decoding: ExpositionEncoder.encode(families), as: UTF8.self)
  }
}
