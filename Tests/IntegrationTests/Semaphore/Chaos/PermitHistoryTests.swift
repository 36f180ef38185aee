import Testing

/// The judge of the chaos sees what it has to judge.
@Suite struct PermitHistoryTests {
  /// Permits a and b are taken at 100 and 101, a gives a sign of life at 102.5; who is in `dead` is
  /// reclaimed at 105.
  private func history(reclaiming dead: String...) -> PermitHistory {
    var commands = [
      ["RPUSH", "p:queue/ns/key", "1", "2"],
      ["ZADD", "p:heartbeat/ns/key", "100.000000", "a"],
      ["HSET", "p:holder/ns/key", "a", "uid-a {}"], ["LPOP", "p:queue/ns/key"],
      ["ZADD", "p:heartbeat/ns/key", "101.000000", "b"], ["LPOP", "p:queue/ns/key"],
      ["ZADD", "p:heartbeat/ns/key", "102.500000", "a"], ["MULTI"],
      ["ZREM", "p:heartbeat/ns/key"] + dead, ["ZADD", "p:reclaimed/ns/key"],
    ]
    for (place, token) in dead.enumerated() {
      commands[commands.count - 1] += ["-105.00000\(place + 1)", token]
    }
    return PermitHistory(of: "ns/key", prefix: "p:", in: commands + [["EXEC"]])
  }

  @Test func whoIsReclaimedTooSoonAfterItsLastHeartbeatIsSeen() {
    let both = history(reclaiming: "a", "b")
    #expect(both.reclaimed.count == 2)
    #expect(both.reclaimedAlive(threshold: 2).isEmpty)
    let alive = both.reclaimedAlive(threshold: 3)
    #expect(alive.map(\.podUID) == ["uid-a"])
    #expect(alive.map(\.lastHeartbeat) == [102.5])
    #expect(both.reclaimedAlive(threshold: 5).count == 2)
  }

  @Test func whoIsNotReclaimedIsNotJudged() {
    let one = history(reclaiming: "b")
    #expect(one.reclaimed.count == 1 && one.holders == ["uid-a"])
    #expect(one.reclaimedAlive(threshold: 3).isEmpty)
    #expect(one.standing(of: "uid-a", at: 106) == .holds)
  }
}
