import ExporterMerger
import PrometheusText
import Testing

@Suite struct MergePlanTests {
  private typealias Merged = (text: String, conflicts: [MergeConflicts])

  private func merge(
    _ texts: [(String, ExpositionFormat)], as output: NegotiatedFormat = NegotiatedFormat(.text)
  ) throws -> Merged {
    let (bytes, conflicts) = try mergeBytes(
      texts.map { (Array($0.0.utf8), $0.1) }, as: output)
    return (String(decoding: bytes, as: UTF8.self), conflicts)
  }

  private func mergeBytes(
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

  private func merge(_ texts: String...) throws -> Merged { try merge(texts.map { ($0, .text) }) }

  /// A text as a source would say it in protobuf.
  private func protobuf(_ text: String, _ format: ExpositionFormat = .text) throws -> [UInt8] {
    try mergeBytes([(Array(text.utf8), format)], as: NegotiatedFormat(.protobuf), isLabelled: false)
      .bytes
  }

  /// What a reader of a protobuf answer finds.
  private func mergeByProtobuf(
    _ texts: [([UInt8], ExpositionFormat)],
    readAs output: NegotiatedFormat = NegotiatedFormat(.text)
  ) throws -> Merged {
    let (bytes, conflicts) = try mergeBytes(texts, as: NegotiatedFormat(.protobuf))
    let read = try mergeBytes([(bytes, .protobuf)], as: output, isLabelled: false).bytes
    return (String(decoding: read, as: UTF8.self), conflicts)
  }

  @Test func putsFamiliesTogetherByName() throws {
    let merged = try merge(
      "# TYPE z gauge\nz 1\n# HELP a First.\n# TYPE a counter\na 1\na{x=\"y\"} 2\n",
      "# HELP a Second.\n# TYPE a counter\na 3\n# TYPE m gauge\nm 4\n")
    #expect(
      merged.text == """
        # HELP a First.
        # TYPE a counter
        a{src="a"} 1
        a{src="a",x="y"} 2
        a{src="b"} 3
        # TYPE m gauge
        m{src="b"} 4
        # TYPE z gauge
        z{src="a"} 1

        """)
    #expect(merged.conflicts == [MergeConflicts(), MergeConflicts()])
  }

  @Test func letsSamplesWithoutATypeJoinAFamilyOfTheirName() throws {
    let merged = try merge("x 1\n", "# TYPE x counter\nx 2\n")
    #expect(merged.text == "# TYPE x counter\nx{src=\"a\"} 1\nx{src=\"b\"} 2\n")
  }

  @Test func keepsSamplesOfAnotherTypeUnderNamesThatNobodyHas() throws {
    let histogram = "# TYPE x histogram\nx_bucket{le=\"+Inf\"} 1\nx_sum 2\nx_count 1\n"
    let merged = try merge("# TYPE x gauge\nx 1\n# TYPE x_count counter\nx_count 9\n", histogram)
    #expect(
      merged.text == """
        # TYPE x gauge
        x{src="a"} 1
        # TYPE x_bucket untyped
        x_bucket{src="b",le="+Inf"} 1
        # TYPE x_count counter
        x_count{src="a"} 9
        # TYPE x_sum untyped
        x_sum{src="b"} 2

        """)
    #expect(merged.conflicts[0] == MergeConflicts())
    #expect(merged.conflicts[1].kept == 2)
    #expect(merged.conflicts[1].dropped == 1)
  }

  @Test func dropsSamplesOfAnotherTypeWhoseNameClashes() throws {
    let merged = try merge("# TYPE x gauge\nx 1\n", "# TYPE x counter\nx 2\n")
    #expect(merged.text == "# TYPE x gauge\nx{src=\"a\"} 1\n")
    #expect(merged.conflicts[1].dropped == 1)
  }

  @Test func theFirstSourceWinsWhateverTheOrderOfNames() throws {
    let merged = try merge(
      "# TYPE x summary\nx_sum 1\nx_count 1\n", "# TYPE x gauge\nx 1\n",
      "# TYPE x histogram\nx_bucket{le=\"+Inf\"} 1\nx_sum 1\nx_count 1\n")
    #expect(merged.text.contains("# TYPE x summary\n"))
    #expect(!merged.text.contains("src=\"b\""))
    #expect(merged.text.contains("# TYPE x_bucket untyped\nx_bucket{src=\"c\",le=\"+Inf\"} 1\n"))
    #expect(merged.conflicts.map(\.dropped) == [0, 1, 2])
  }

  @Test func mixesFormats() throws {
    let texts: [(String, ExpositionFormat)] = [
      ("# TYPE x counter\nx_total 1\nx_created 5\n# EOF\n", .openMetrics),
      ("# TYPE x_total counter\nx_total 2\n", .text),
    ]
    #expect(
      try merge(texts).text == """
        # TYPE x_created gauge
        x_created{src="a"} 5
        # TYPE x_total counter
        x_total{src="a"} 1
        x_total{src="b"} 2

        """)
    #expect(
      try merge(texts, as: NegotiatedFormat(.openMetrics)).text == """
        # TYPE x counter
        x_total{src="a"} 1
        x_created{src="a"} 5
        x_total{src="b"} 2
        # EOF

        """)
  }

  @Test func doesNotSayTheTypeOfACounterThatOpenMetricsCannotExpress() throws {
    let text = "# TYPE a counter\na 1\n# TYPE b gauge\nb 1\n# TYPE b_total counter\nb_total 2\n"
    #expect(
      try merge([(text, .text)], as: NegotiatedFormat(.openMetrics)).text == """
        # TYPE a unknown
        a{src="a"} 1
        # TYPE b gauge
        b{src="a"} 1
        # TYPE b_total unknown
        b_total{src="a"} 2
        # EOF

        """)
  }

  @Test func takesGaugeHistogramsApartForText() throws {
    let text = "# TYPE q gaugehistogram\nq_bucket{le=\"+Inf\"} 1\nq_gcount 1\nq_gsum 2\n# EOF\n"
    #expect(
      try merge([(text, .openMetrics)]).text == """
        # TYPE q_bucket gauge
        q_bucket{src="a",le="+Inf"} 1
        # TYPE q_gcount gauge
        q_gcount{src="a"} 1
        # TYPE q_gsum gauge
        q_gsum{src="a"} 2

        """)
    #expect(
      try merge([(text, .openMetrics)], as: NegotiatedFormat(.openMetrics)).text.contains(
        "# TYPE q gaugehistogram\n"))
  }

  @Test func keepsTheFirstOfNamesThatAreEscapedToOne() throws {
    let merged = try merge("{\"a.b\"} 1\n", "a_b 2\n{\"a.b\"} 3\n")
    #expect(merged.text == "# TYPE a_b untyped\na_b{src=\"a\"} 1\na_b{src=\"b\"} 3\n")
    #expect(merged.conflicts[1].dropped == 1)
    let whole = try merge(
      [("{\"a.b\"} 1\n", .text), ("a_b 2\n", .text)],
      as: NegotiatedFormat(.text, escaping: .allowUTF8))
    #expect(whole.text.contains("# TYPE \"a.b\" untyped\n{\"a.b\",src=\"a\"} 1\n"))
    #expect(whole.conflicts[1].dropped == 0)
  }

  @Test func takesFamiliesInVeryManyPieces() throws {
    var text = ""
    for number in 0..<20_000 { text += "a{n=\"\(number)\"} 1\nb{n=\"\(number)\"} 1\n" }
    let merged = try merge(text)
    #expect(merged.text.split(separator: "\n").count == 40_002)
  }

  @Test func mergesADuplicateFamilyOfOneSource() throws {
    let merged = try merge("# TYPE a counter\na 1\nb 1\n# TYPE a counter\na{x=\"1\"} 2\na 3\n")
    #expect(
      merged.text == """
        # TYPE a counter
        a{src="a"} 1
        a{src="a",x="1"} 2
        # TYPE b untyped
        b{src="a"} 1

        """)
  }

  @Test func joinsAFamilyOfAnotherTypeInProtobufWithItsValue() throws {
    for kind in ["counter", "gauge"] {
      let merged = try mergeByProtobuf([
        (Array("# TYPE x \(kind)\nx 1\n".utf8), .text), (protobuf("x 42\n"), .protobuf),
      ])
      #expect(merged.text == "# TYPE x \(kind)\nx{src=\"a\"} 1\nx{src=\"b\"} 42\n")
    }
  }

  @Test func copiesFamiliesOfSeveralSourcesInProtobuf() throws {
    let histogram =
      "# TYPE h histogram\nh_bucket{le=\"0.5\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n"
    let merged = try mergeByProtobuf([
      (Array(histogram.utf8), .text), (protobuf(histogram), .protobuf),
      (Array("# TYPE h gauge\nh 5\nh_count 6\n".utf8), .text),
    ])
    let lines = histogram.split(separator: "\n").dropFirst()
    for source in ["a", "b"] {
      for line in lines {
        let name = line.prefix { $0 != " " && $0 != "{" }
        let bounds =
          line.contains("{") ? "," + line.dropFirst(name.count + 1).prefix { $0 != "}" } : ""
        let value = line[(line.lastIndex(of: " ") ?? line.startIndex)...]
        #expect(merged.text.contains("\n\(name){src=\"\(source)\"\(bounds)}\(value)\n"))
      }
    }
    #expect(!merged.text.contains("src=\"c\"} 5"))
    #expect(merged.conflicts[2].dropped == 1)
  }

  @Test func takesHistogramsOfProtobufApartWhereTheyDoNotFit() throws {
    let histogram =
      "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\nh_created 1.5\n# EOF\n"
    let merged = try mergeByProtobuf([
      (Array("# TYPE h gauge\nh 1\n".utf8), .text),
      (protobuf(histogram, .openMetrics), .protobuf),
    ])
    #expect(
      merged.text
        == """
        # TYPE h gauge
        h{src="a"} 1
        # TYPE h_bucket untyped
        h_bucket{src="b",le="+Inf"} 2
        # TYPE h_count untyped
        h_count{src="b"} 2
        # TYPE h_created untyped
        h_created{src="b"} 1.5
        # TYPE h_sum untyped
        h_sum{src="b"} 3

        """.replacing(",le=\"+Inf\"", with: ",le=\"+Inf\""))
    // Lines are counted, not messages.
    #expect(merged.conflicts[1].kept == 4)
  }

  @Test func passesTimesOfCreationThroughProtobuf() throws {
    let text = """
      # TYPE a counter
      a_total 1
      a_created 5.25
      # TYPE h histogram
      h_bucket{le="+Inf"} 2
      h_sum 3.0
      h_count 2
      h_created 1.5
      # TYPE s summary
      s_sum 3
      s_count 2
      s_created 2.5
      # EOF

      """
    let source = try protobuf(text, .openMetrics)
    for (line, time) in [("a", "5.25"), ("h", "1.5"), ("s", "2.5")] {
      let written = try mergeBytes([(source, .protobuf)], as: NegotiatedFormat(.openMetrics)).bytes
      #expect(
        String(decoding: written, as: UTF8.self).contains("\n\(line)_created{src=\"a\"} \(time)\n"))
    }
    // Text 0.0.4 has none, and a direct scrape would have none there.
    let plain = try mergeBytes([(source, .protobuf)], as: NegotiatedFormat(.text)).bytes
    #expect(!String(decoding: plain, as: UTF8.self).contains("created"))
  }

  @Test func inventsNothingInProtobuf() throws {
    let text = """
      # TYPE c counter
      c_created{x="1"} 1
      c_total{x="1"} 1 5
      c_created{x="2"} 2
      # TYPE h histogram
      h_bucket{le="+Inf"} 2
      h_bucket{le="0.5"} 1
      h_bucket{le="?"} 9
      h_created 3
      h_sum 3 5
      h_count 2 5
      # TYPE nosum histogram
      nosum_bucket{le="+Inf"} 2
      nosum_count 2
      # TYPE s summary
      s{quantile="0.5"} 1
      # TYPE t summary
      t_sum 1
      t_count 1.5
      # EOF

      """
    let read = try mergeByProtobuf(
      [(Array(text.utf8), .openMetrics)], readAs: NegotiatedFormat(.openMetrics)
    ).text
    let lines = Set(read.split(separator: "\n").map(String.init))
    let wanted = [
      "c_total{src=\"a\",x=\"1\"} 1 5", "c_created{src=\"a\",x=\"1\"} 1 5",
      "c_created{src=\"a\",x=\"2\"} 2", "h_bucket{src=\"a\",le=\"?\"} 9",
      "nosum_bucket{src=\"a\",le=\"+Inf\"} 2", "nosum_count{src=\"a\"} 2",
      "s{src=\"a\",quantile=\"0.5\"} 1", "t_sum{src=\"a\"} 1", "t_count{src=\"a\"} 1.5",
    ]
    for line in wanted { #expect(lines.contains(line), "\(line) in \(read)") }
    for line in lines where !line.hasPrefix("#") && !line.hasPrefix("h_") {
      #expect(wanted.contains(line), "\(line)")
    }
    #expect(!read.contains(" 0\n"))
  }

  @Test func sortsBucketsInProtobuf() throws {
    let text =
      "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 2\nh_bucket{le=\"0.5\"} 1\nh_sum 3\nh_count 2\n"
    let read = try mergeByProtobuf([(Array(text.utf8), .text)]).text
    #expect(
      read == """
        # TYPE h histogram
        h_bucket{src="a",le="0.5"} 1
        h_bucket{src="a",le="+Inf"} 2
        h_sum{src="a"} 3
        h_count{src="a"} 2

        """)
  }

  @Test func takesWhatOneFormatCallsInfoAndAnotherGaugeForOne() throws {
    for other in ["gauge", "untyped"] {
      let texts: [(String, ExpositionFormat)] = [
        ("# TYPE target info\ntarget_info{v=\"1\"} 1\n# EOF\n", .openMetrics),
        ("# TYPE target_info \(other)\ntarget_info{v=\"2\"} 1\n", .text),
      ]
      for texts in [texts, texts.reversed()] {
        for format in [ExpositionFormat.text, .openMetrics] {
          let merged = try merge(texts, as: NegotiatedFormat(format))
          #expect(merged.text.contains("v=\"1\"} 1\n"))
          #expect(merged.text.contains("v=\"2\"} 1\n"))
          #expect(merged.text.split(separator: "\n").count { $0.hasPrefix("# TYPE") } == 1)
          #expect(merged.conflicts.allSatisfy { $0 == MergeConflicts() })
        }
      }
    }
  }

  @Test func aSampleWithoutATypeKeepsItsNameBeforeAHistogram() throws {
    for first in ["h 1\n", "# TYPE h untyped\nh 1\n"] {
      let merged = try merge(
        first, "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n")
      #expect(merged.text.contains("# TYPE h untyped\nh{src=\"a\"} 1\n"))
      #expect(merged.text.contains("# TYPE h_bucket untyped\nh_bucket{src=\"b\",le=\"+Inf\"} 1\n"))
      #expect(merged.conflicts == [MergeConflicts(), merged.conflicts[1]])
      #expect(merged.conflicts[1].kept == 3)
    }
  }

  @Test func noTwoFamiliesHaveOneNameInOpenMetrics() throws {
    let texts: [(String, ExpositionFormat)] = [
      ("# TYPE foo info\nfoo_info 1\n# EOF\n", .openMetrics),
      ("# TYPE foo counter\nfoo_total 2\nfoo_created 3\n# EOF\n", .openMetrics),
    ]
    #expect(
      try merge(texts, as: NegotiatedFormat(.openMetrics)).text == """
        # TYPE foo info
        foo_info{src="a"} 1
        # TYPE foo_created unknown
        foo_created{src="b"} 3
        # TYPE foo_total unknown
        foo_total{src="b"} 2
        # EOF

        """)
    let reversed = try merge(texts.reversed(), as: NegotiatedFormat(.openMetrics))
    #expect(
      reversed.text == """
        # TYPE foo counter
        foo_total{src="a"} 2
        foo_created{src="a"} 3
        # TYPE foo_info gauge
        foo_info{src="b"} 1
        # EOF

        """)
    // The time of creation has no place if its name has another owner; then it is counted.
    let clash = try merge(
      texts + [("foo_created 9\n", .text)], as: NegotiatedFormat(.openMetrics))
    #expect(!clash.text.contains("foo_created{src=\"b\"}"))
    #expect(clash.conflicts[1].dropped == 1)
  }

  @Test func samplesOfAGaugeHistogramAreNoCounters() throws {
    let merged = try merge([
      ("# TYPE q_bucket counter\nq_bucket 1\n", .text),
      (
        "# TYPE q gaugehistogram\nq_bucket{le=\"+Inf\"} 1\nq_gcount 1\nq_gsum 2\n# EOF\n",
        .openMetrics
      ),
    ])
    #expect(!merged.text.contains("q_bucket{src=\"b\""))
    #expect(merged.text.contains("q_gsum{src=\"b\"} 2\n"))
    #expect(merged.conflicts[1].dropped == 1)
  }

  @Test func tellsNamesOfDifferentBytesApart() throws {
    let (one, other) = ("\u{E9}", "e\u{301}")
    let merged = try merge(
      [("{\"\(one)\"} 1\n", .text), ("{\"\(other)\"} 2\n", .text)],
      as: NegotiatedFormat(.text, escaping: .allowUTF8))
    #expect(merged.text.split(separator: "\n").count { $0.hasPrefix("# TYPE") } == 2)
  }
}
