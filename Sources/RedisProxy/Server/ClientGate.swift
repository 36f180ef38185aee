import Synchronization

/// Counts the clients of all event loops against their limit.
final class ClientGate: Sendable {
  private let limit: Int
  private let count = Atomic<Int>(0)
  private let numbers = Atomic<Int>(0)

  init(limit: Int) { self.limit = limit }

  var clients: Int { count.load(ordering: .relaxed) }

  /// A number that no other client has had.
  func nextNumber() -> Int { numbers.add(1, ordering: .relaxed).newValue }

  /// Whether there is room for one more, which is then taken.
  func enter() -> Bool {
    if count.add(1, ordering: .relaxed).newValue <= limit { return true }
    count.subtract(1, ordering: .relaxed)
    return false
  }

  func leave() { count.subtract(1, ordering: .relaxed) }
}
