/// A format in which metrics travel over HTTP.
package enum ExpositionFormat: Hashable, Sendable, CaseIterable {
  /// https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
  case text
  /// https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md
  case openMetrics
  /// Messages `io.prometheus.client.MetricFamily`, each behind its length as a varint.
  case protobuf

  /// The format of an answer; what says nothing that is known counts as text, as Prometheus does.
  package init(contentType: String) {
    let range = MediaRange(contentType[...])
    switch range.type {
    case "application/openmetrics-text": self = .openMetrics
    case "application/vnd.google.protobuf": self = .protobuf
    default: self = .text
    }
  }

  /// The format of bytes that come without a name for it, such as those of a file: OpenMetrics ends
  /// with `# EOF`, everything else is text.
  package init(sniffing bytes: some BidirectionalCollection<UInt8>) {
    let mark = "# EOF".utf8
    var end = bytes.endIndex
    while end > bytes.startIndex, bytes[bytes.index(before: end)] == UInt8(ascii: "\n") {
      end = bytes.index(before: end)
    }
    self = bytes[..<end].suffix(mark.count).elementsEqual(mark) ? .openMetrics : .text
  }
}
