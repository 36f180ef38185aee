/// The store could not decide. Nothing was granted, and what was half-taken is given back.
package struct StoreError: Error, Sendable, CustomStringConvertible {
  /// One member of the store that did not do its part.
  package struct MemberFailure: Sendable, Hashable {
    package let member: String
    package let reason: String

    package init(member: String, reason: String) {
      self.member = member
      self.reason = reason
    }
  }

  package enum Kind: Sendable, Hashable {
    /// Too few members answered.
    case noQuorum
    /// Enough members answered, but until the deadline they were split between contenders, or a
    /// stale lock stood on one. A member that failed had a part in it.
    case contended
    /// The caller gave up.
    case cancelled
  }

  package let kind: Kind
  package let key: NamespacedKey?
  /// How many members must agree, and of how many.
  package let quorum: Int
  package let members: Int
  /// Who failed, and how.
  package let failures: [MemberFailure]

  package init(
    _ kind: Kind, key: NamespacedKey?, quorum: Int, members: Int, failures: [MemberFailure] = []
  ) {
    self.kind = kind
    self.key = key
    self.quorum = quorum
    self.members = members
    self.failures = failures
  }

  package var description: String {
    let subject = key.map { "\($0): " } ?? ""
    let list = failures.map { "\($0.member): \($0.reason)" }.joined(separator: "; ")
    switch kind {
    case .cancelled: return subject + "given up before the store had answered"
    case .contended:
      return subject + "the answers were split (contenders at once, or a stale lock that runs out"
        + " by itself); try again" + (list.isEmpty ? "" : "; did not answer: \(list)")
    case .noQuorum:
      let need = members == 1 ? "the store" : "\(quorum) of \(members) members of the store"
      return "\(subject)\(need) must answer, but \(list.isEmpty ? "too few did" : list)"
    }
  }
}
