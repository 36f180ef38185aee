import Testing

@testable import Coordination

/// All that servers can say, for one to five of them.
@Suite struct QuorumTallyTests {
  enum Answer: Character, CaseIterable {
    case ours = "o"
    case free = "f"
    case firstOther = "A"
    case secondOther = "B"
    case failure = "x"
  }

  enum Outcome: String { case ours, first, second, split, unavailable, open }

  private static let first = LockRecord(token: Token("first"), holder: nil)
  private static let second = LockRecord(token: Token("second"), holder: nil)

  static func tally(_ answers: some Sequence<Answer>, members: Int) -> QuorumTally {
    var tally = QuorumTally(members: members)
    for (node, answer) in answers.enumerated() {
      switch answer {
      case .ours: tally.add(.ours(counter: UInt64(node)), from: node)
      case .free: tally.add(.free, from: node)
      case .firstOther:
        tally.add(.others(.init(record: first, timeLeft: .seconds(node))), from: node)
      case .secondOther: tally.add(.others(.init(record: second, timeLeft: nil)), from: node)
      case .failure: tally.add(failure: "gone", from: node)
      }
    }
    return tally
  }

  static func outcome(_ tally: QuorumTally) -> Outcome {
    switch tally.decision {
    case nil: .open
    case .ours: .ours
    case .others(let owner): owner.record == first ? .first : .second
    case .split: .split
    case .unavailable: .unavailable
    }
  }

  @Test(arguments: [
    (1, "o", Outcome.ours), (1, "A", .first), (1, "x", .unavailable), (1, "f", .split),
    (2, "o", .open), (2, "oo", .ours), (2, "x", .unavailable), (2, "oA", .split),
    (2, "AA", .first),
    (3, "o", .open), (3, "oo", .ours), (3, "ox", .open), (3, "oxo", .ours), (3, "oxA", .split),
    (3, "xx", .unavailable), (3, "AA", .first), (3, "AB", .open), (3, "ABo", .split),
    (3, "ABA", .first), (3, "oAB", .split), (3, "ofB", .split), (3, "fff", .split),
    (4, "oo", .open), (4, "ooo", .ours), (4, "xx", .unavailable), (4, "ooAA", .split),
    (4, "xAAA", .first), (4, "xoo", .open),
    (5, "ooo", .ours), (5, "xxx", .unavailable), (5, "xxoo", .open), (5, "xxooo", .ours),
    (5, "xxooA", .split), (5, "ooAAB", .split), (5, "BAoBB", .second),
  ])
  func theOutcomeIs(members: Int, answers: String, expected: Outcome) {
    let answers = answers.compactMap { Answer(rawValue: $0) }
    #expect(Self.outcome(Self.tally(answers, members: members)) == expected)
  }

  @Test(arguments: 1...5) func everySequenceOfAnswersIsDecidedRightly(members: Int) {
    var wrong: [String] = []
    Self.walk([], members: members, decided: .open, wrong: &wrong)
    #expect(wrong.isEmpty, "\(wrong.prefix(5))")
  }

  private static func walk(
    _ answers: [Answer], members: Int, decided: Outcome, wrong: inout [String]
  ) {
    let tally = tally(answers, members: members)
    let outcome = outcome(tally)
    let left = members - answers.count
    func count(_ answer: Answer) -> Int { answers.count(where: { $0 == answer }) }
    func check(_ condition: Bool, _ what: String) {
      if !condition { wrong.append("\(String(answers.map(\.rawValue))) of \(members): \(what)") }
    }
    let majority = members / 2 + 1
    check(decided == .open || decided == outcome, "\(decided) became \(outcome)")
    check((outcome == .ours) == (count(.ours) >= majority), "ours")
    check((outcome == .first) == (count(.firstOther) >= majority), "the first other's")
    check((outcome == .second) == (count(.secondOther) >= majority), "the second other's")
    check((outcome == .unavailable) == (count(.failure) > members - majority), "unavailable")
    check(left > 0 || outcome != .open, "open although all have answered")
    check(outcome != .split || left == 0, "split although some are silent")
    let lost = count(.free) + count(.firstOther) + count(.secondOther)
    check(tally.isCertainlyNotOurs == (lost > members - majority), "certainly not ours")
    if left == 0 { return }
    for answer in Answer.allCases {
      walk(answers + [answer], members: members, decided: outcome, wrong: &wrong)
    }
  }

  @Test func theOwnersLongestTimeCounts() {
    let tally = Self.tally([.firstOther, .failure, .firstOther], members: 3)
    #expect(tally.majorityOwner?.timeLeft == .seconds(2))
  }

  @Test func failuresKnowWhetherSomethingMayHaveHappened() {
    var tally = QuorumTally(members: 3)
    tally.add(failure: "refused", mayHaveRun: false, from: 0)
    tally.add(failure: "silent", from: 1)
    #expect(tally.failures.map(\.mayHaveRun) == [false, true])
  }
}
