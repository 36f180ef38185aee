/// How much of an exposition is taken.
package struct ExpositionLimits: Hashable, Sendable {
  /// Families, each run of samples of one name counted.
  package var families = 200_000
  package var samples = 4_000_000
  package var labelsPerSample = 256
  /// The longest name of a metric or a label, in bytes.
  package var nameBytes = 4096
  /// When it must have been read; nil: whenever.
  package var deadline: ContinuousClock.Instant?

  package init() {}

  /// Called now and then by whoever reads.
  ///
  /// - Throws: ``ExpositionError/late``.
  func checkTime() throws(ExpositionError) {
    if Task.isCancelled { throw .late }
    if let deadline, ContinuousClock.now > deadline { throw .late }
  }
}
