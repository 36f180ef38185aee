/// Writes metric families in Prometheus' text format 0.0.4.
///
/// The caller passes each family once, with all its samples: a family may not be split.
/// See https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format.
package struct ExpositionEncoder: Sendable {
  /// The media type of what this encoder writes.
  package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  /// What has been written so far: valid UTF-8.
  package private(set) var bytes: [UInt8] = []

  package init(reservingCapacity capacity: Int = 0) { bytes.reserveCapacity(capacity) }

  package static func encode(_ families: some Sequence<MetricFamily>) -> [UInt8] {
    var encoder = ExpositionEncoder()
    for family in families { encoder.append(family) }
    return encoder.bytes
  }

  package mutating func append(_ family: MetricFamily) {
    if !family.help.isEmpty {
      write("# HELP ", family.name.text, " ")
      write(escaping: family.help, quotes: false)
      write("\n")
    }
    write("# TYPE ", family.name.text, " ", family.kind.rawValue, "\n")
    for sample in family.samples { append(sample) }
  }

  private mutating func append(_ sample: Sample) {
    write(sample.name.text)
    if !sample.labels.isEmpty {
      write("{")
      for (index, label) in sample.labels.enumerated() {
        write(index == 0 ? "" : ",", label.name, "=\"")
        write(escaping: label.value, quotes: true)
        write("\"")
      }
      write("}")
    }
    write(" ", Self.text(of: sample.value))
    if let timestamp = sample.timestampMilliseconds { write(" ", timestamp.description) }
    write("\n")
  }

  /// A number as Go's `ParseFloat` reads it, whole ones without a fraction.
  package static func text(of value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    if let whole = Int64(exactly: value), abs(value) < 1e15 { return whole.description }
    return value.description
  }

  private mutating func write(_ parts: String...) {
    for part in parts { bytes.append(contentsOf: part.utf8) }
  }

  private mutating func write(escaping text: String, quotes: Bool) {
    TextEscapes.escape(text, quotes: quotes) { bytes.append($0) }
  }
}
