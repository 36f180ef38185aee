import PrometheusText
import Testing

@Suite struct MetricNameTests {
  @Test(arguments: ["a", "_a", "a:b", "a1_total", ":x"])
  func acceptsNamesOfTheDataModel(text: String) throws {
    #expect(try MetricName(text).text == text)
    #expect(MetricName(sanitizing: text).text == text)
  }

  @Test(arguments: ["", "1a", "a-b", "a.b", "é", "a b", "a\n"])
  func refusesOtherNames(text: String) {
    let error = #expect(throws: PrometheusTextError.self) { try MetricName(text) }
    #expect(error?.code == .invalidMetricName)
    #expect(error?.description.contains("'\(text)'") == true)
  }

  @Test(arguments: [
    ("http.requests", "http_requests"), ("1a", "_1a"), ("", "_"), ("größe", "gr__e"), ("-", "_"),
  ])
  func makesANameOfAnything(text: String, wanted: String) {
    #expect(MetricName(sanitizing: text).text == wanted)
  }

  @Test func labelsTakeNoColon() {
    let error = #expect(throws: PrometheusTextError.self) { try MetricLabel("a:b", "") }
    #expect(error?.code == .invalidLabelName)
    #expect(MetricLabel(sanitizing: "a:b", "v").name == "a_b")
  }
}
