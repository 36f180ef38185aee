/// Why a source's metrics are missing from an answer.
package struct ScrapeFailure: Error, Hashable, Sendable {
  /// A closed set: the values of the metric's label.
  package enum Reason: String, Hashable, Sendable, CaseIterable {
    /// No connection, or it broke before the answer was whole.
    case connection
    /// The answer was not whole, and read, in time.
    case timeout
    /// Another status than 200.
    case status
    /// More bytes than allowed, packed or unpacked.
    case tooLarge = "too_large"
    /// A packing that was not asked for, or that is damaged.
    case encoding
    /// Bytes that are no metrics.
    case syntax
    /// A file that cannot be read.
    case file
  }

  package let reason: Reason
  /// One line for the log, without anything secret.
  package let detail: String

  package init(_ reason: Reason, _ detail: String) {
    self.reason = reason
    self.detail = detail
  }
}
