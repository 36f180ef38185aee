import Coordination
import JSON
import PodHook
import ServiceKit
import Testing

@Suite struct LockReportTests {
  private static let now = 1_795_251_600

  private static func report(
    _ key: String, _ holder: Holder?, timeLeft: Duration?, fencingToken: UInt64 = 7
  ) -> LockReport {
    LockReport(
      key: NamespacedKey(namespace: "demo", key: key),
      snapshot: LockSnapshot(
        owner: LockOwnership(
          record: LockRecord(token: Token("secret-token"), holder: holder),
          timeLeft: timeLeft),
        fencingToken: fencingToken, isOpened: false))
  }

  private static let reports = [
    report(
      "web",
      Holder(
        pod: "web-1", podUID: "uid", node: "node-1", owner: "ReplicaSet/web", since: now - 3725),
      timeLeft: .milliseconds(41_900)),
    report(
      "starting", Holder(pod: "job-", isGeneratedName: true, since: now + 5),
      timeLeft: .seconds(120), fencingToken: 12),
    report("foreign", nil, timeLeft: nil, fencingToken: 0),
    LockReport(
      key: NamespacedKey(namespace: "demo", key: "free"),
      snapshot: LockSnapshot(owner: nil, fencingToken: 3, isOpened: false)),
  ]

  @Test func textIsAlignedUnderAHeader() {
    #expect(
      LockReport.table(Self.reports, now: Self.now) == """
        KEY             POD                NODE     AGE      TIME LEFT    FENCING TOKEN
        demo/web        web-1              node-1   1h2m5s   41s          7
        demo/starting   job-… (starting)   -        0s       2m           12
        demo/foreign    (no name)          -        -        never ends   -
        demo/free       (free)             -        -        -            3

        """)
    #expect(
      LockReport.table([], now: 0)
        == "KEY   POD   NODE   AGE   TIME LEFT   FENCING TOKEN\n")
  }

  @Test func jsonHasOneObjectForEachLock() throws {
    let text = LockReport.json(Self.reports, now: Self.now)
    #expect(text.hasSuffix("]\n"))
    #expect(
      try JSONValue(parsing: text) == [
        [
          "key": "demo/web", "held": true, "fencingToken": 7, "timeLeftMilliseconds": 41900,
          "holder": [
            "pod": "web-1", "uid": "uid", "node": "node-1", "owner": "ReplicaSet/web",
            "since": "2026-11-21T07:57:55.000Z", "ageSeconds": 3725,
          ],
        ],
        [
          "key": "demo/starting", "held": true, "fencingToken": 12,
          "timeLeftMilliseconds": 120_000,
          "holder": [
            "generateName": "job-", "since": "2026-11-21T09:00:05.000Z", "ageSeconds": 0,
          ],
        ],
        ["key": "demo/foreign", "held": true, "fencingToken": 0],
        ["key": "demo/free", "held": false, "fencingToken": 3],
      ])
    #expect(LockReport.json([], now: 0) == "[]\n")
  }

  /// Whoever knows a token can release the lock.
  @Test func theTokenIsNotShown() {
    #expect(!LockReport.table(Self.reports, now: 0).contains("secret-token"))
    #expect(!LockReport.json(Self.reports, now: 0).contains("secret-token"))
  }

  @Test(arguments: [
    (0, "1970-01-01T00:00:00.000Z"), (951_782_399, "2000-02-28T23:59:59.000Z"),
    (951_782_400, "2000-02-29T00:00:00.000Z"), (1_709_251_199, "2024-02-29T23:59:59.000Z"),
    (4_107_542_400, "2100-03-01T00:00:00.000Z"), (253_402_300_799, "9999-12-31T23:59:59.000Z"),
  ])
  func timesAreInUTC(since: Int, text: String) throws {
    let report = Self.report("k", Holder(pod: "p", since: since), timeLeft: nil)
    let json = try JSONValue(parsing: LockReport.json([report], now: since))
    #expect(json[0]?["holder"]?["since"] == .string(text))
  }
}
