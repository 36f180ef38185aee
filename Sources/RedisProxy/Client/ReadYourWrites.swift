import NIOCore

/// Whether a client's reads have to see what it has written, and so have to go to the primary.
///
/// From when a write is sent until it is answered, and for a while after that: a write may take
/// long, and a replica can only have it after it is done.
struct ReadYourWrites {
  /// The last write, as its number among the client's commands; 0: it is answered.
  private var lastWrite = 0
  private var until = NIODeadline.distantPast

  /// - Parameter number: of the command, counted from 1.
  mutating func wrote(_ number: Int) { lastWrite = number }

  /// Notes replies.
  ///
  /// - Parameter answered: how many of the client's commands have their reply.
  @inline(__always)
  mutating func answered(_ answered: Int, now: NIODeadline, lasting duration: TimeAmount) {
    guard lastWrite > 0, answered >= lastWrite else { return }
    lastWrite = 0
    until = now + duration
  }

  func needsPrimary(at now: NIODeadline) -> Bool { lastWrite > 0 || until > now }
}
