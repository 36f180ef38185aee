/// Why a call has no answer, or what etcd answered instead of one.
package struct EtcdError: Error, Sendable, CustomStringConvertible {
  package enum Kind: Sendable, Hashable {
    /// No member did what was asked until the deadline; ``EtcdError/failures`` says why.
    case unavailable
    /// The calling task was cancelled: neither a failure nor an answer.
    case cancelled
    /// User and password are wrong, or do not allow the call.
    case denied
    /// There is no such lease (any more).
    case leaseNotFound
    /// The lease id is in use.
    case leaseExists
    /// A revision was asked for that is gone; the oldest that is there, 0 if unknown.
    case compacted(oldest: Int64)
    /// The cluster's quota is used up: it only reads and deletes until an operator makes room.
    case noSpace
    /// etcd refused the call for another reason: trying again will not help.
    case refused
    /// A member sent what is no answer to the call.
    case malformedAnswer
    /// An address, a certificate file or a setting is wrong: trying again will not help.
    case configuration
  }

  /// One member that did not do its part.
  package struct MemberFailure: Sendable, Hashable {
    package let member: String
    package let reason: String
  }

  package let kind: Kind
  /// What was tried and what came of it; empty where the members' failures say it all.
  package let message: String
  /// Who failed, and how: the last failure of each member.
  package let failures: [MemberFailure]
  /// The call was handed to a member that may have run it, or may run it yet. False means that it
  /// certainly has not and will not.
  package let mayHaveRun: Bool

  package init(
    _ kind: Kind, _ message: String, failures: [MemberFailure] = [], mayHaveRun: Bool = false
  ) {
    self.kind = kind
    self.message = message
    self.failures = failures
    self.mayHaveRun = mayHaveRun
  }

  /// One line: what happened, and how each member failed.
  package var description: String {
    let list = failures.map { "\($0.member): \($0.reason)" }.joined(separator: "; ")
    if message.isEmpty { return "etcd: \(list.isEmpty ? "no member answered" : list)" }
    return list.isEmpty ? "etcd: \(message)" : "etcd: \(message) (\(list))"
  }
}
