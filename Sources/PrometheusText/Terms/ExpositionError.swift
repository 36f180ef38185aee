/// Why bytes are no exposition, and where.
package struct ExpositionError: Error, Hashable, CustomStringConvertible {
  package enum Place: Hashable, Sendable {
    /// Of a text, the first is 1.
    case line(Int)
    /// Of protobuf: the number of the message, the first is 1.
    case family(Int)
    case whole
  }

  package let place: Place
  /// What is wrong, without what the source wrote: it may be anything.
  package let reason: String

  /// Nothing is wrong, but reading it took too long, or nobody wants it any more.
  package static let late = ExpositionError(
    place: .whole, reason: "it could not be read in time")

  package var description: String {
    switch place {
    case .line(let number): "line \(number): \(reason)"
    case .family(let number): "metric family \(number): \(reason)"
    case .whole: reason
    }
  }
}
