/// What the merger is told.
package struct MergerConfiguration: Sendable {
  package var port: Int
  package var sources: [Source]
  /// For each source; nil: what the scraper's header says.
  package var timeout: Duration?
  /// Of one source's answer.
  package var maximumBodyBytes: Int
  /// Of all sources in all answers that are under way.
  package var maximumTotalBytes: Int
  /// Empty: none.
  package var sourceLabel: String
  package var terminationGracePeriod: Duration
  package var lameDuck: Duration
  package var keepsAlive: Bool

  /// The usual name of the label.
  package static let sourceLabel = "merger_url"
}
