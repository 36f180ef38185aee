import PrometheusText
import Testing

@Suite struct ConversionTests {
  @Test func textBecomesOpenMetrics() throws {
    let text = #"""
      # HELP a_total Some "a".
      # TYPE a_total counter
      a_total{b="c"} 1 1395066363123
      # TYPE plain counter
      plain 2
      # TYPE g gauge
      g NaN

      """#
    #expect(
      try rewrite(text, as: NegotiatedFormat(.openMetrics)) == #"""
        # HELP a Some \"a\".
        # TYPE a counter
        a_total{b="c"} 1 1395066363.123
        # TYPE plain unknown
        plain 2
        # TYPE g gauge
        g NaN
        # EOF

        """#)
  }

  @Test func openMetricsBecomesText() throws {
    let text = #"""
      # TYPE a counter
      # UNIT a seconds
      a_total{b="c"} 1 1395066363.123 # {t="x"} 1 2
      # EOF

      """#.replacing("# UNIT a seconds\n", with: "")
    #expect(
      try rewrite(text, .openMetrics, as: NegotiatedFormat(.text)) == #"""
        # TYPE a_total counter
        a_total{b="c"} 1 1395066363123

        """#)
  }

  @Test func timesFarAwayStayWhatTheyAre() throws {
    let text = "# TYPE a gauge\na 1 5000000000000000\n# EOF\n"
    #expect(
      try rewrite(text, .openMetrics, as: NegotiatedFormat(.text))
        == "# TYPE a gauge\na 1 5000000000000000000\n")
  }

  @Test func protobufBecomesText() throws {
    let bytes = try Fixture(name: "native.pb").bytes()
    let text = String(
      decoding: try rewrite(bytes, .protobuf, as: NegotiatedFormat(.text)), as: UTF8.self)
    #expect(
      text == #"""
        # HELP native_seconds A native histogram.
        # TYPE native_seconds histogram
        native_seconds_bucket{path="/x",le="+Inf"} 12
        native_seconds_sum{path="/x"} 3.5
        native_seconds_count{path="/x"} 12
        native_seconds_bucket{path="/y",le="0.5"} 1
        native_seconds_bucket{path="/y",le="+Inf"} 3
        native_seconds_sum{path="/y"} 1.5
        native_seconds_count{path="/y"} 3
        # HELP hits_total Hits.
        # TYPE hits_total counter
        hits_total{a="b"} 5 1700000000123
        # TYPE sum_seconds summary
        sum_seconds{quantile="0.5"} 1.25
        sum_seconds_sum 9.5
        sum_seconds_count 7
        # TYPE temp_celsius gauge
        temp_celsius{room="k\"\\\n"} -3.5
        # TYPE whatever untyped
        whatever 2

        """#)
  }

  @Test func protobufBecomesOpenMetrics() throws {
    let bytes = try Fixture(name: "native.pb").bytes()
    let text = String(
      decoding: try rewrite(
        bytes, .protobuf, as: NegotiatedFormat(.openMetrics, escaping: .allowUTF8)), as: UTF8.self)
    #expect(
      text.contains(
        #"""
        # TYPE hits counter
        hits_total{a="b"} 5 1700000000.123 # {trace_id="x"} 1
        hits_created{a="b"} 1700000000 1700000000.123

        """#))
    #expect(text.contains("native_seconds_created{path=\"/x\"} 1700000000.5\n"))
    #expect(text.contains("native_seconds_bucket{path=\"/y\",le=\"0.5\"} 1\n"))
    #expect(text.contains("# TYPE \"temp.celsius\" gauge\n{\"temp.celsius\",room="))
    #expect(text.hasSuffix("# EOF\n"))
  }

  @Test func nativeHistogramsStayAsTheyAre() throws {
    let bytes = try Fixture(name: "native.pb").bytes()
    let output = NegotiatedFormat(.protobuf, escaping: .allowUTF8)
    #expect(try rewrite(bytes, .protobuf, as: output) == bytes)
    // The label's message is added to each metric, and only that.
    let label = SeriesLabel("merger_url", "u")
    let labelled = try rewrite(bytes, .protobuf, as: output, label: label)
    let added = 4 + "merger_url".count + 1 + 2
    #expect(labelled.count >= bytes.count + 6 * added)
    #expect(labelled.count <= bytes.count + 6 * (added + 2) + 5 * 2)
  }

  @Test(arguments: [
    (EscapingScheme.underscores, "my_dotted_metric", "gr__e"),
    (.dots, "my_dot_dotted_dot_metric", "gr____e"),
    (.values, "U__my_2e_dotted_2e_metric", "U__gr_f6__df_e"),
    (.allowUTF8, "my.dotted.metric", "größe"),
  ])
  func escapesNames(scheme: EscapingScheme, metric: String, label: String) {
    #expect(scheme.escape(metric: "my.dotted.metric") == metric)
    #expect(scheme.escape(label: "größe") == label)
    #expect(scheme.escape(metric: "plain_name:sum") == "plain_name:sum")
  }

  @Test func labelsThatAreEscapedToOneNameAreToldApart() throws {
    let text = #"{"m.x","a.b"="1","a_b"="2","a-b"="3"} 1"# + "\n"
    #expect(
      try rewrite(text, as: NegotiatedFormat(.text)) == #"""
        # TYPE m_x untyped
        m_x{a_b="1",exported_a_b="2",exported_exported_a_b="3"} 1

        """#)
  }
}
