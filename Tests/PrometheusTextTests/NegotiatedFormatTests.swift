import PrometheusText
import Testing

@Suite struct NegotiatedFormatTests {
  @Test(arguments: [
    (nil, "text/plain; version=0.0.4; charset=utf-8"),
    ("*/*", "text/plain; version=0.0.4; charset=utf-8"),
    ("text/html, image/png", "text/plain; version=0.0.4; charset=utf-8"),
    // Prometheus 2.42.
    (
      "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
        + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
      "application/openmetrics-text; version=1.0.0; charset=utf-8"
    ),
    // Prometheus 3, with native histograms.
    (
      "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;"
        + "escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=1.0.0;"
        + "escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
      "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
        + "encoding=delimited; escaping=allow-utf-8"
    ),
    (
      "application/openmetrics-text;version=2.0.0,text/plain;q=0.1",
      "text/plain; version=0.0.4; charset=utf-8"
    ),
    (
      "application/vnd.google.protobuf;encoding=text,text/plain;q=0.1",
      "text/plain; version=0.0.4; charset=utf-8"
    ),
    (
      "text/plain;version=1.0.0;escaping=\"values\"",
      "text/plain; version=1.0.0; charset=utf-8; escaping=values"
    ),
    (
      "application/openmetrics-text;version=0.0.1",
      "application/openmetrics-text; version=0.0.1; charset=utf-8"
    ),
    (
      "text/plain;q=0,application/openmetrics-text;q=0.01",
      "application/openmetrics-text; version=1.0.0; charset=utf-8"
    ),
  ])
  func answersAsTheScraperAsks(accept: String?, contentType: String) {
    #expect(NegotiatedFormat(accept: accept).contentType == contentType)
  }

  @Test(arguments: ExpositionFormat.allCases)
  func asksSourcesForTheScrapersFormatFirst(format: ExpositionFormat) {
    let asked = NegotiatedFormat(accept: NegotiatedFormat(format).sourceAccept)
    #expect(asked.format == format)
    #expect(asked.escaping == .allowUTF8)
  }

  @Test(arguments: [
    ("text/plain; version=0.0.4; charset=utf-8", ExpositionFormat.text), ("", .text),
    ("application/openmetrics-text; version=1.0.0", .openMetrics),
    ("Application/Vnd.Google.Protobuf; proto=io.prometheus.client.MetricFamily", .protobuf),
    ("text/html", .text),
  ])
  func readsContentTypes(contentType: String, format: ExpositionFormat) {
    #expect(ExpositionFormat(contentType: contentType) == format)
  }
}
