package import PrometheusText

/// What became of one source in one answer.
package struct Scrape: Sendable {
  package let source: Source
  /// In seconds, reading its bytes included.
  package let duration: Double
  package let result: Result<Exposition, ScrapeFailure>
  /// Of the exposition's bytes.
  let share: ByteShare
}
