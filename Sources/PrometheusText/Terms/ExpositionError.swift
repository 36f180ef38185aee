/// Why bytes are no exposition, and where.
package struct ExpositionError: Error, Hashable, CustomStringConvertible {
  package enum Place: Hashable, Sendable {
    /// Of a text, the first is 1.
    case line(Int)
    /// Of protobuf: the number of the message, the first is 1.
    case family(Int)
  }

  package let place: Place
  /// What is wrong, without what the source wrote: it may be anything.
  package let reason: String

  package var description: String {
    switch place {
    case .line(let number): "line \(number): \(reason)"
    case .family(let number): "metric family \(number): \(reason)"
    }
  }
}

/// How much of an exposition is taken.
package struct ExpositionLimits: Hashable, Sendable {
  /// Families, each run of samples of one name counted.
  package var families = 200_000
  package var samples = 4_000_000
  package var labelsPerSample = 256
  /// The longest name of a metric or a label, in bytes.
  package var nameBytes = 4096

  package init() {}
}
