import Synchronization

/// How many bytes of sources all answers together may hold.
package final class ByteBudget: Sendable {
  package let limit: Int
  private let used = Atomic<Int>(0)

  package init(_ limit: Int) { self.limit = limit }

  package func share() -> ByteShare { ByteShare(self) }

  fileprivate func take(_ count: Int) -> Bool {
    let isThere = used.add(count, ordering: .relaxed).newValue <= limit
    if !isThere { giveBack(count) }
    return isThere
  }

  fileprivate func giveBack(_ count: Int) { used.subtract(count, ordering: .relaxed) }
}

/// What one source has taken of the budget, until its bytes are needed no longer: it is given back
/// when the last reference is gone.
package final class ByteShare: Sendable {
  private let budget: ByteBudget
  private let taken = Atomic<Int>(0)

  fileprivate init(_ budget: ByteBudget) { self.budget = budget }

  deinit { budget.giveBack(taken.load(ordering: .relaxed)) }

  /// Called for bytes before they are kept.
  package func take(_ count: Int) throws(ScrapeFailure) {
    guard budget.take(count) else {
      throw ScrapeFailure(
        .tooLarge,
        "all answers together would hold more than \(budget.limit) bytes (--max-total-bytes)")
    }
    taken.add(count, ordering: .relaxed)
  }
}
