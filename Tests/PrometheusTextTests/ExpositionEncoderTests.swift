import PrometheusText
import Testing

@Suite struct ExpositionEncoderTests {
  private func text(_ families: MetricFamily...) -> String {
    String(decoding: ExpositionEncoder.encode(families), as: UTF8.self)
  }

  @Test func writesHelpTypeAndSamples() throws {
    let name = try MetricName("http_requests_total")
    let labels = [try MetricLabel("method", "post"), try MetricLabel("code", "200")]
    let family = MetricFamily(
      name, .counter, help: "Requests answered.",
      samples: [
        Sample(name, labels: labels, value: 1027),
        Sample(name, value: 3.5, timestampMilliseconds: 1_395_066_363_000),
      ])
    #expect(
      text(family) == """
        # HELP http_requests_total Requests answered.
        # TYPE http_requests_total counter
        http_requests_total{method="post",code="200"} 1027
        http_requests_total 3.5 1395066363000

        """)
  }

  @Test func escapesHelpAndLabelValuesByTheirOwnRules() throws {
    let name = try MetricName("m")
    let family = MetricFamily(
      name, .gauge, help: "a \"quote\" \\ and\nline",
      samples: [Sample(name, labels: [try MetricLabel("l", "\"q\" \\ \n é")], value: 1)])
    #expect(
      text(family) == """
        # HELP m a "quote" \\\\ and\\nline
        # TYPE m gauge
        m{l="\\"q\\" \\\\ \\n é"} 1

        """)
  }

  @Test func leavesOutAnEmptyHelp() throws {
    #expect(text(MetricFamily(try MetricName("m"), .untyped)) == "# TYPE m untyped\n")
  }

  @Test(arguments: [
    (Double.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"), (0, "0"), (-2, "-2"),
    (0.005, "0.005"), (1e21, "1e+21"), (1.5e-9, "1.5e-09"), (1_763_716_800.25, "1763716800.25"),
  ])
  func writesNumbersThatPrometheusReads(value: Double, wanted: String) {
    #expect(ExpositionEncoder.text(of: value) == wanted)
  }

  @Test func writesHistogramsWithCumulativeBuckets() throws {
    var family = MetricFamily(try MetricName("latency_seconds"), .histogram)
    family.appendHistogram(
      labels: [try MetricLabel("op", "get")], bounds: [0.1, 1], counts: [2, 3, 1], sum: 4.25)
    #expect(
      text(family) == """
        # TYPE latency_seconds histogram
        latency_seconds_bucket{op="get",le="0.1"} 2
        latency_seconds_bucket{op="get",le="1"} 5
        latency_seconds_bucket{op="get",le="+Inf"} 6
        latency_seconds_sum{op="get"} 4.25
        latency_seconds_count{op="get"} 6

        """)
  }

  @Test func namesTheTextFormat() {
    #expect(ExpositionEncoder.contentType == "text/plain; version=0.0.4; charset=utf-8")
  }
}
