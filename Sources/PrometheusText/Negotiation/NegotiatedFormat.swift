/// What a scraper gets, decided by its `Accept` header.
///
/// See https://prometheus.io/docs/instrumenting/content_negotiation/.
package struct NegotiatedFormat: Hashable, Sendable {
  package var format: ExpositionFormat
  package var escaping: EscapingScheme

  /// Of the format; nil: the oldest that is in use.
  private var version: String?
  /// Whether the scraper knows about escaping, and so hears what was done.
  private var namesEscaping = false

  package init(_ format: ExpositionFormat, escaping: EscapingScheme = .underscores) {
    self.format = format
    self.escaping = escaping
  }

  /// Takes the entry with the highest quality, the first of equals; text if there is none.
  package init(accept header: String?) {
    self.init(.text)
    var best = 0.0
    for range in MediaRange.list(header ?? "") where range.quality > best {
      guard let format = Self.format(of: range) else { continue }
      best = range.quality
      self.format = format
      version = range.parameters["version"]
      let scheme = range.parameters["escaping"].flatMap(EscapingScheme.init)
      escaping = scheme ?? .underscores
      namesEscaping = scheme != nil
    }
  }

  private static func format(of range: MediaRange) -> ExpositionFormat? {
    let version = range.parameters["version"]
    switch range.type {
    case "application/openmetrics-text":
      return version == nil || version == "1.0.0" || version == "0.0.1" ? .openMetrics : nil
    case "application/vnd.google.protobuf":
      let message = range.parameters["proto"] ?? "io.prometheus.client.MetricFamily"
      let isDelimited = range.parameters["encoding"] ?? "delimited" == "delimited"
      return message == "io.prometheus.client.MetricFamily" && isDelimited ? .protobuf : nil
    case "text/plain":
      return version == nil || version == "0.0.4" || version == "1.0.0" ? .text : nil
    case "text/*", "*/*": return .text
    default: return nil
    }
  }

  /// The content type of the answer.
  package var contentType: String {
    let suffix = namesEscaping ? "; escaping=\(escaping.rawValue)" : ""
    return switch format {
    case .text:
      "text/plain; version=\(namesEscaping ? version ?? "0.0.4" : "0.0.4"); charset=utf-8" + suffix
    case .openMetrics:
      "application/openmetrics-text; version=\(version ?? "1.0.0"); charset=utf-8" + suffix
    case .protobuf:
      "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
        + "encoding=delimited" + suffix
    }
  }

  /// The `Accept` header for a source, so that as little as possible is lost on the way to the
  /// scraper: its own format first, then what can be turned into it. Names shall come unescaped.
  package var sourceAccept: String {
    let text =
      "text/plain;version=1.0.0;escaping=allow-utf-8;q=%,text/plain;version=0.0.4;q=%"
    let openMetrics =
      "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=%,"
      + "application/openmetrics-text;version=1.0.0;q=%,"
      + "application/openmetrics-text;version=0.0.1;q=%"
    let protobuf =
      "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
      + "encoding=delimited;escaping=allow-utf-8;q=%"
    let order =
      switch format {
      case .text: [text, openMetrics, protobuf]
      case .openMetrics: [openMetrics, text, protobuf]
      case .protobuf: [protobuf, openMetrics, text]
      }
    var quality = 10
    var header = ""
    for character in order.joined(separator: ",") {
      guard character == "%" else {
        header.append(character)
        continue
      }
      quality -= 1
      header += "0.\(quality)"
    }
    return header + ",*/*;q=0.1"
  }
}
