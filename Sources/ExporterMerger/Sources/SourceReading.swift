package import NIOCore
package import PrometheusText

/// What a source is asked.
package struct SourceRequest: Sendable {
  /// The `Accept` header.
  package var accept: String
  /// The most bytes of an answer, packed and unpacked.
  package var maximumBytes: Int
  /// Of what all answers may hold; the reader takes from it what it keeps.
  package var share: ByteShare
  /// When the answer must be whole.
  package var deadline: NIODeadline
  /// For the source's own timeout, in seconds.
  package var timeout: Double
}

/// What a source answered.
package struct SourceAnswer: Sendable {
  package var bytes: [UInt8]
  package var format: ExpositionFormat

  package init(bytes: [UInt8], format: ExpositionFormat) {
    self.bytes = bytes
    self.format = format
  }
}

/// Gets the metrics of sources, from the network or in a test from memory.
package protocol SourceReading: Sendable {
  /// Ends early when the task is cancelled.
  func read(
    _ source: Source, _ request: SourceRequest
  ) async throws(ScrapeFailure) -> SourceAnswer
}
