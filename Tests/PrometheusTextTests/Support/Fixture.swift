import Foundation
import PrometheusText
import Testing

/// An exposition in a file beside the tests.
struct Fixture: Sendable, CustomTestStringConvertible {
  let name: String

  var testDescription: String { name }

  static let all = [
    "escapes.prom", "special-values.prom", "timestamps.prom", "missing-type.prom",
    "histograms.prom", "duplicate-families.prom", "crlf.prom", "no-final-newline.prom",
    "blanks.prom", "utf8-names.prom", "exemplars.om", "native.pb",
  ].map(Fixture.init)

  var format: ExpositionFormat {
    if name.hasSuffix(".om") { return .openMetrics }
    return name.hasSuffix(".pb") ? .protobuf : .text
  }

  func bytes() throws -> [UInt8] {
    let path = try #require(Bundle.module.path(forResource: "Fixtures/\(name)", ofType: nil))
    return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
  }
}
