/// Counts what the servers say about one lock, and tells as soon as the count decides.
///
/// A pure value: it sends nothing and waits for nothing.
struct QuorumTally {
  enum Decision {
    /// A quorum has the lock as ours.
    case ours
    /// A quorum has it as one other holder's.
    case others(LockOwnership)
    /// We cannot reach a quorum any more, and it is nobody's for certain.
    case split
    /// So many servers failed that those left could not make a quorum even together.
    case unavailable
  }

  let members: Int
  let quorum: Int
  private(set) var answered = 0
  /// The servers that have the lock as ours, with their counters.
  private(set) var ours: [(node: Int, counter: UInt64)] = []
  private(set) var free: [Int] = []
  private(set) var others: [(node: Int, owner: LockOwnership)] = []
  /// The servers that gave no answer, and whether they may have done what was asked all the same.
  private(set) var failures: [(node: Int, reason: String, mayHaveRun: Bool)] = []

  init(members: Int) {
    self.members = members
    quorum = members / 2 + 1
  }

  mutating func add(_ verdict: RedlockNode.Verdict, from node: Int) {
    answered += 1
    switch verdict {
    case .ours(let counter): ours.append((node, counter))
    case .free: free.append(node)
    case .others(let owner): others.append((node, owner))
    }
  }

  mutating func add(failure reason: String, mayHaveRun: Bool = true, from node: Int) {
    answered += 1
    failures.append((node, reason, mayHaveRun))
  }

  /// Nil: the next answer may still change the outcome.
  var decision: Decision? {
    if ours.count >= quorum { return .ours }
    if let owner = majorityOwner { return .others(owner) }
    if members - failures.count < quorum { return .unavailable }
    return answered == members ? .split : nil
  }

  /// Whether our token can no longer have a quorum, even if the silent servers had it.
  var isCertainlyNotOurs: Bool { members - free.count - others.count < quorum }

  /// The one other holder whom a quorum knows, with the longest time left among them.
  var majorityOwner: LockOwnership? {
    for (_, owner) in others {
      let same = others.filter { $0.owner.record.token == owner.record.token }
      if same.count >= quorum {
        return same.map(\.owner).max { ($0.timeLeft ?? .zero) < ($1.timeLeft ?? .zero) }
      }
    }
    return nil
  }
}
