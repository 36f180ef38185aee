import PrometheusText
import Testing

/// What is well-formed, or nearly, and made to harm.
@Suite struct HostileExpositionTests {
  private let openMetrics = NegotiatedFormat(.openMetrics, escaping: .allowUTF8)

  private func parse(
    _ text: String, _ limits: ExpositionLimits = ExpositionLimits()
  ) throws -> Exposition {
    try Exposition(parsing: Array(text.utf8), format: .text, limits: limits)
  }

  /// Within the time that 20,000 samples take, not that which 200 million comparisons take.
  private func parseSoon(_ text: String) throws -> Exposition {
    var limits = ExpositionLimits()
    limits.deadline = .now + .seconds(120)
    return try parse(text, limits)
  }

  @Test func seriesThatDifferBehindAnEscapeAreToldApartAtOnce() throws {
    var text = ""
    for number in 0..<20_000 { text += "a{b=\"\\\\n\(number)\"} 1\n" }
    #expect(try parseSoon(text + text).duplicates == 20_000)
  }

  @Test func labelsWhoseValuesAreTheirNamesAreToldApartAtOnce() throws {
    var text = ""
    for number in 0..<20_000 { text += "a{l\(number)=\"l\(number)\"} 1\n" }
    for number in 0..<2000 {
      text += "a{x\(number)=\"y\(number)\"} 1\na{y\(number)=\"x\(number)\"} 1\n"
    }
    #expect(try parseSoon(text).duplicates == 0)
  }

  @Test func aValueIsOneHoweverItIsEscaped() throws {
    // A backslash before another letter stands for itself.
    let exposition = try parse("a{b=\"\\x12345678\\\"\"} 1\na{b=\"\\\\x12345678\\\"\"} 2\n")
    #expect(exposition.duplicates == 1)
  }

  @Test(arguments: ["a 1\n", "# TYPE a gauge\n", "\n"]) func stopsWhenTheTimeIsOver(line: String) {
    var limits = ExpositionLimits()
    limits.deadline = .now
    let text = String(repeating: line, count: 1000)
    let error = #expect(throws: ExpositionError.self) { try parse(text, limits) }
    #expect(error == .late)
    let families = Message.exposition(.family("a", type: 1, .value(2, 1)))
    let other = #expect(throws: ExpositionError.self) {
      try Exposition(parsing: families, format: .protobuf, limits: limits)
    }
    #expect(other == .late)
  }

  @Test func stopsWhenNobodyWantsItAnyMore() async {
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try parse("a 1\n")
    }
    let result = await task.result
    #expect(throws: ExpositionError.late) { try result.get() }
  }

  @Test func boundsDeclarations() {
    var limits = ExpositionLimits()
    limits.families = 3
    var text = ""
    for number in 0..<5 { text += "# HELP a\(number) x\n" }
    #expect(throws: ExpositionError.self) { try parse(text, limits) }
  }

  @Test(arguments: [Int.min, .min + 1, -9_300_000_000_000_000, 9_300_000_000_000_000, .max])
  func refusesTimesThatNoNumberHolds(seconds: Int) {
    let time = Message { $0.add(1, seconds) }
    let exemplar = Message {
      $0.add(2, 1.0)
      $0.add(3, time)
    }
    for metric in [Message.value(3, 1) { $0.add(3, time) }, .value(3, 1) { $0.add(2, exemplar) }] {
      let bytes = Message.exposition(.family("a_total", type: 0, metric))
      #expect(throws: ExpositionError.self) { try Exposition(parsing: bytes, format: .protobuf) }
    }
  }

  @Test func anyNumbersAreRefusedOrWritten() throws {
    var random = SeededGenerator(23)
    let extremes: [Int] = [.min, -1, 0, 1, .max, 1 << 32, 1 << 52, -1 << 52, 1 << 62]
    var taken = 0
    for _ in 0..<4000 {
      func number() -> Int { extremes.randomElement(using: &random) ?? 0 }
      func double() -> Double {
        [0, -0.0, 1, -1, .infinity, -.infinity, .nan, 1e308, 1e-308, 1.5]
          .randomElement(using: &random) ?? 0
      }
      let time = Message {
        $0.add(1, number())
        $0.add(2, Bool.random(using: &random) ? number() : 999_999_999)
      }
      let exemplar = Message {
        $0.add(1, .label("a.b", "c"))
        $0.add(2, double())
        $0.add(3, time)
      }
      let bucket = Message {
        $0.add(1, number())
        $0.add(2, double())
        $0.add(3, exemplar)
      }
      let histogram = Message {
        $0.add(7) { message in
          message.add(1, number())
          message.add(2, double())
          message.add(3, bucket)
          if Bool.random(using: &random) { message.add(5, signed: number()) }
          if Bool.random(using: &random) { message.add(7, number()) }
          if Bool.random(using: &random) { message.add(13, signed: number()) }
          if Bool.random(using: &random) {
            message.add(12) {
              $0.add(1, signed: number())
              $0.add(2, number())
            }
          }
        }
        $0.add(6, number())
      }
      let counter = Message {
        $0.add(3) {
          $0.add(1, double())
          $0.add(2, exemplar)
          $0.add(3, time)
        }
        $0.add(6, number())
      }
      let bytes = Message.exposition(
        Bool.random(using: &random)
          ? .family("a_total", type: 0, counter) : .family("h", type: 4, histogram))
      for output in ExpositionFormat.allCases {
        guard
          let written = try? rewrite(
            bytes, .protobuf, as: NegotiatedFormat(output), label: SeriesLabel("s", "x"))
        else { continue }
        taken += 1
        #expect(throws: Never.self) { try Exposition(parsing: written, format: output) }
      }
    }
    #expect(taken > 100)
  }

  @Test(arguments: ["_total", "x_total"]) func aCounterAlwaysHasAName(name: String) throws {
    let text = "# TYPE \(name) counter\n\(name) 1\n"
    let written: String = try rewrite(text, as: openMetrics)
    #expect(
      written
        == (name == "_total"
          ? "# TYPE _total unknown\n_total 1\n# EOF\n" : "# TYPE x counter\nx_total 1\n# EOF\n"))
  }

  @Test func aNameIsEscapedBeforeItsEndIsTakenOff() throws {
    let text = "# TYPE \"a.b_total\" counter\n{\"a.b_total\"} 1\n"
    #expect(
      try rewrite(text, as: NegotiatedFormat(.openMetrics, escaping: .dots))
        == "# TYPE a_dot_b_ counter\na_dot_b__total 1\n# EOF\n")
    #expect(
      try rewrite("# TYPE \".total\" counter\n{\".total\"} 1\n", as: NegotiatedFormat(.openMetrics))
        == "# TYPE _total unknown\n_total 1\n# EOF\n")
  }

  @Test func namesInExemplarsAreEscapedLikeOthers() throws {
    let text = "# TYPE a counter\na_total 1 # {\"trace.id\"=\"x\"} 1\n# EOF\n"
    let wanted = "# TYPE a counter\na_total 1 # {trace_id=\"x\"} 1\n# EOF\n"
    let plain = NegotiatedFormat(.openMetrics)
    #expect(try rewrite(text, .openMetrics, as: plain) == wanted)
    #expect(try rewrite(text, .openMetrics, as: openMetrics) == text)
    // By way of protobuf, which is rewritten, too.
    for escaping in EscapingScheme.allCases {
      let message = try rewrite(
        Array(text.utf8), .openMetrics, as: NegotiatedFormat(.protobuf, escaping: escaping))
      let again = try rewrite(message, .protobuf, as: NegotiatedFormat(.protobuf))
      let written = String(decoding: try rewrite(again, .protobuf, as: plain), as: UTF8.self)
      let dots = "# TYPE a counter\na_total 1 # {trace_dot_id=\"x\"} 1\n# EOF\n"
      let values = "# TYPE a counter\na_total 1 # {U__trace_2e_id=\"x\"} 1\n# EOF\n"
      #expect(written == (escaping == .dots ? dots : escaping == .values ? values : wanted))
    }
  }

  @Test func refusesLabelsOfExemplarsThatNoTextCanSay() {
    for labels in [[("", "x")], [("a", "x"), ("a", "y")], [("__name__", "x")]] {
      let exemplar = Message {
        for (name, value) in labels { $0.add(1, .label(name, value)) }
        $0.add(2, 1.0)
      }
      let bytes = Message.exposition(
        .family("a_total", type: 0, .value(3, 1) { $0.add(2, exemplar) }))
      #expect(throws: ExpositionError.self) { try Exposition(parsing: bytes, format: .protobuf) }
    }
  }

  @Test func aUnitIsOneWordOrNone() throws {
    let evil = "s\nup{job=\"evil\"} 0"
    let bytes = Message.exposition(
      .family("a_\(evil)", type: 1, unit: evil, .value(2, 1)),
      .family("b_seconds", type: 1, unit: "seconds", .value(2, 1)))
    let written = String(
      decoding: try rewrite(bytes, .protobuf, as: openMetrics), as: UTF8.self)
    #expect(!written.contains("\nup{"))
    #expect(written.contains("# UNIT b_seconds seconds\n"))
  }

  @Test func manyLabelsThatBecomeOneAreToldApartAtOnce() throws {
    let scalars = (0..<200).compactMap { Unicode.Scalar(0x4E00 + $0) }
    let same = scalars.map { "\"a\(String($0))\"=\"x\"" }.joined(separator: ",")
    let written = try rewrite("m{\(same)} 1\n", as: NegotiatedFormat(.text))
    #expect(written.utf8.count < 6000)
    #expect(written.contains("exported_199_a_=\"x\""))
    #expect(try parse(written).sampleCount == 1)
  }
}
