import ExporterMerger
import PrometheusText
import Testing

@Suite struct MergePlanTests {
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
