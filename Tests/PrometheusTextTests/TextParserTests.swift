import PrometheusText
import Testing

@Suite struct TextParserTests {
  private let source = SeriesLabel("merger_url", "http://a/\"x\"")

  private func text(_ text: String, _ format: ExpositionFormat = .text) throws -> String {
    try rewrite(text, format, as: NegotiatedFormat(.text, escaping: .allowUTF8), label: source)
  }

  @Test func insertsTheSourceInFrontOfOtherLabels() throws {
    #expect(
      try text("# HELP a The a.\n# TYPE a counter\na 1\na{b=\"c\",d=\"\"} 2 3\n") == #"""
        # HELP a The a.
        # TYPE a counter
        a{merger_url="http://a/\"x\""} 1
        a{merger_url="http://a/\"x\"",b="c",d=""} 2 3

        """#)
  }

  @Test func writesOddLinesAnew() throws {
    let odd =
      "\n  a { b = \"c\" , d=\"\\x\\\\\" , }   1   2 \t\r\na{} 3\n\ta 4 5\n{\"a\",e=\"f\"} 6"
    #expect(
      try text(odd) == #"""
        # TYPE a untyped
        a{merger_url="http://a/\"x\"",b="c",d="\\x\\"} 1 2
        a{merger_url="http://a/\"x\""} 3
        a{merger_url="http://a/\"x\"",e="f"} 6

        """#)
  }

  @Test func renamesALabelOfTheSourceThatWillBeAdded() throws {
    #expect(
      try text("a{merger_url=\"x\",exported_merger_url=\"y\"} 1\n") == #"""
        # TYPE a untyped
        a{merger_url="http://a/\"x\"",exported_exported_merger_url="x",exported_merger_url="y"} 1

        """#)
  }

  @Test func keepsADuplicateSeriesOnceWhateverTheOrderOfItsLabels() throws {
    let exposition = try Exposition(
      parsing: Array(
        "a{b=\"1\",c=\"\\n\"} 1\na{c=\"\\n\",b=\"1\"} 2\na{b=\"1\"} 3\na 4\na 4 5\n".utf8),
      format: .text)
    #expect(exposition.duplicates == 2)
    #expect(exposition.sampleCount == 3)
  }

  @Test func takesZeroBytesWhereverPrometheusDoes() throws {
    let odd = "# HELP a x\u{0}\n# TYPE a gauge\na{b=\"1\u{0}\",c=\"\u{0}\\\"\"} 1\n"
    #expect(try rewrite(odd, as: NegotiatedFormat(.text)) == odd)
  }

  @Test func takesAnEmptyLabelForNone() throws {
    let exposition = try Exposition(
      parsing: Array("a 1\na{b=\"\"} 2\na{c=\"x\",b=\"\"} 3\na{c=\"x\"} 4\n".utf8), format: .text)
    #expect(exposition.duplicates == 2)
  }

  @Test func tellsTextsOfDifferentBytesApart() throws {
    // One character for Swift, two texts for Prometheus.
    let (one, other) = ("\u{E9}", "e\u{301}")
    let text = "a{b=\"\(one)\"} 1\na{b=\"\(other)\"} 2\n{\"\(one)\"} 3\n{\"\(other)\"} 4\n"
    let exposition = try Exposition(parsing: Array(text.utf8), format: .text)
    #expect(exposition.duplicates == 0)
    #expect(exposition.parts.count == 3)
    let output = NegotiatedFormat(.protobuf, escaping: .allowUTF8)
    let message = try rewrite(
      Array("a{b=\"\(one)\"} 1\na{b=\"\(other)\"} 2\n".utf8), .text, as: output)
    #expect(try Exposition(parsing: message, format: .protobuf).sampleCount == 2)
    let twoLabels = "a{\"\(one)\"=\"1\",\"\(other)\"=\"2\"} 1\n"
    let both = try rewrite(Array(twoLabels.utf8), .text, as: output)
    #expect(try Exposition(parsing: both, format: .protobuf).sampleCount == 1)
  }

  @Test func letsASeriesOfOpenMetricsHaveSeveralPoints() throws {
    let exposition = try Exposition(
      parsing: Array("a 1 1\na 2 2\na 3 2\n# EOF\n".utf8), format: .openMetrics)
    #expect(exposition.duplicates == 1)
  }

  @Test(arguments: [
    ("a 1\nb\n", 2, "value"), ("a 1\n<html>\n", 2, "name of a metric"),
    ("a{b=\"c} 1\n", 1, "line"),
    ("a{b=c} 1\n", 1, "quotes"), ("a{b=\"c\"d=\"e\"} 1\n", 1, "','"),
    ("a{1b=\"c\"} 1\n", 1, "label"),
    ("\n\na 0x10\n", 3, "number"), ("a 1_0\n", 1, "number"), ("a 1e999\n", 1, "number"),
    ("a 1 2 3\n", 1, "more than"), ("a 1 2.5\n", 1, "timestamp"),
    ("a 1 99999999999999999999\n", 1, "time"),
    ("a{b=\"1\",b=\"2\"} 1\n", 1, "twice"), ("a{__name__=\"b\"} 1\n", 1, "__name__"),
    ("# TYPE a nonsense\n", 1, "type"), ("# TYPE a\n", 1, "type"), ("# TYPE 1a gauge\n", 1, "name"),
    ("# TYPE a gauge x\n", 1, "more"), ("a +nan\n", 1, "number"), ("{\"a\u{0}\"} 1\n", 1, "name"),
    ("a 1 # {} 2\n", 1, "timestamp"), ("{a=\"b\"} 1\n", 1, "quotes"),
    ("{\"a\"=\"b\"} 1\n", 1, "name"),
    ("a{\"b} 1\n", 1, "line"), ("é 1\n", 1, "name"), ("a 1\ra 2\n", 1, "behind"),
    ("a{", 1, "label"),
    ("a", 1, "value"), ("a.5\n", 1, "value"), ("a{b=\"", 1, "line"), ("a{b", 1, "'='"),
    ("a 1 \\\n", 1, "timestamp"),
  ])
  func namesTheLineOfAFault(text: String, line: Int, reason: String) throws {
    let error = #expect(throws: ExpositionError.self) {
      try Exposition(parsing: Array(text.utf8), format: .text)
    }
    #expect(error?.place == .line(line))
    #expect(error?.reason.contains(reason) == true, "\(error?.reason ?? "")")
  }

  @Test(arguments: [
    ("a 1\n", 2, "# EOF"), ("a 1\n\n# EOF\n", 2, "empty"), ("a 1\n# EOF\na 2\n", 3, "behind"),
    ("# a comment\n# EOF\n", 1, "comment"), ("a 1 # {b=\"c\"}\n# EOF\n", 1, "exemplar"),
    ("# TYPE a untyped\n# EOF\n", 1, "type"), ("# UNIT a seconds\n# EOF\n", 1, "unit"),
    ("a 1\r\n# EOF\n", 1, "number"), ("a 1 nan\n# EOF\n", 1, "timestamp"),
  ])
  func namesTheLineOfAFaultInOpenMetrics(text: String, line: Int, reason: String) throws {
    let error = #expect(throws: ExpositionError.self) {
      try Exposition(parsing: Array(text.utf8), format: .openMetrics)
    }
    #expect(error?.place == .line(line))
    #expect(error?.reason.contains(reason) == true, "\(error?.reason ?? "")")
  }

  @Test func refusesWhatIsNotUTF8() throws {
    for bytes: [UInt8] in [
      [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x98], [0xF5, 0x80, 0x80, 0x80],
    ] {
      let value = Array("a{b=\"".utf8) + bytes + Array("\"} 1\n".utf8)
      #expect(throws: ExpositionError.self) { try Exposition(parsing: value, format: .text) }
      let help = Array("# HELP a ".utf8) + bytes + Array("\na 1\n".utf8)
      #expect(throws: ExpositionError.self) { try Exposition(parsing: help, format: .text) }
    }
  }

  @Test func keepsToItsLimits() throws {
    var limits = ExpositionLimits()
    limits.samples = 2
    limits.families = 2
    limits.labelsPerSample = 2
    limits.nameBytes = 4
    for text in [
      "a 1\na{b=\"\"} 1\na{c=\"\"} 1\n", "a 1\nb 1\nc 1\n", "a{b=\"\",c=\"\",d=\"\"} 1\n",
      "abcde 1\n", "a{abcde=\"\"} 1\n", "# TYPE abcde gauge\n", "{\"abcde\"} 1\n",
    ] {
      #expect(throws: ExpositionError.self, "\(text)") {
        try Exposition(parsing: Array(text.utf8), format: .text, limits: limits)
      }
    }
  }

  @Test func findsTheFamilyOfSamplesThatAreOutOfOrder() throws {
    let text = "# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\nb 1\na_sum 2\na_count 1\n"
    let exposition = try Exposition(parsing: Array(text.utf8), format: .text)
    #expect(exposition.parts.map(\.name) == ["a", "b", "a"])
    #expect(exposition.parts.map(\.kind) == [.histogram, .unknown, .histogram])
  }

  @Test func countsSamplesOfLargeFamilies() throws {
    let line = "a_rather_long_name_of_a_family_seconds{instance=\"i-0123456789\",number=\""
    var text = ""
    for number in 0..<120_000 { text += line + "\(number)\"} \(number)\n" }
    #expect(text.utf8.count > 10_000_000)
    let exposition = try Exposition(parsing: Array(text.utf8), format: .text)
    #expect(exposition.parts.count == 1)
    #expect(exposition.sampleCount == 120_000)
  }
}
