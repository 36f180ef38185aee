import Coordination
import JSON
import PodHook
import Testing

@Suite struct SemaphoreReportTests {
  private static let now = 1_795_251_600

  private static func report(
    _ key: String, length: Int?, queue: Int, stale: Int = 0, reclaimed: Int = 0, lost: Int = 0,
    overLength: Duration = .zero, _ permits: [Permit] = []
  ) -> SemaphoreReport {
    SemaphoreReport(
      key: NamespacedKey(namespace: "demo", key: key),
      counts: SemaphoreCounts(
        length: length, queue: queue, inFlight: permits.count, stale: stale,
        oldest: permits.first, reclaimed: reclaimed, lost: lost, overLength: overLength),
      permits: permits)
  }

  private static let token = Token("secret-token")

  private static let reports = [
    report(
      "web", length: 12, queue: 9, stale: 1, reclaimed: 4, lost: 2,
      overLength: .milliseconds(3500),
      [
        Permit(
          token: token,
          holder: Holder(
            pod: "web-1", podUID: "uid", node: "node-1", owner: "ReplicaSet/web",
            since: now - 3725),
          silence: .milliseconds(121_900)),
        Permit(
          token: token, holder: Holder(pod: "web-", isGeneratedName: true, since: now + 5),
          silence: .zero),
        Permit(token: token, holder: nil, silence: .seconds(7)),
      ]),
    report("unused", length: nil, queue: 0),
  ]

  @Test func textHasATableOfSemaphoresAndOneOfHolders() {
    #expect(
      SemaphoreReport.table(Self.reports, now: Self.now) == """
        KEY           LENGTH   QUEUE   IN FLIGHT   STALE   RECLAIMED
        demo/web      12       9       3           1       4
        demo/unused   -        0       0           0       0

        KEY        POD                NODE     AGE      LAST HEARTBEAT
        demo/web   web-1              node-1   1h2m5s   2m1s ago
        demo/web   web-… (starting)   -        0s       0s ago
        demo/web   (no name)          -        -        7s ago

        """)
  }

  @Test func withoutHoldersThereIsOneTable() {
    #expect(
      SemaphoreReport.table([Self.reports[1]], now: Self.now) == """
        KEY           LENGTH   QUEUE   IN FLIGHT   STALE   RECLAIMED
        demo/unused   -        0       0           0       0

        """)
    #expect(
      SemaphoreReport.table([], now: 0)
        == "KEY   LENGTH   QUEUE   IN FLIGHT   STALE   RECLAIMED\n")
  }

  @Test func jsonHasOneObjectForEachSemaphore() throws {
    let text = SemaphoreReport.json(Self.reports, now: Self.now)
    #expect(text.hasSuffix("]\n"))
    #expect(
      try JSONValue(parsing: text) == [
        [
          "key": "demo/web", "length": 12, "queue": 9, "inFlight": 3, "stale": 1,
          "reclaimed": 4, "lost": 2, "overLengthMilliseconds": 3500,
          "holders": [
            [
              "silenceMilliseconds": 121_900, "pod": "web-1", "uid": "uid", "node": "node-1",
              "owner": "ReplicaSet/web", "since": "2026-11-21T07:57:55.000Z", "ageSeconds": 3725,
            ],
            [
              "silenceMilliseconds": 0, "generateName": "web-",
              "since": "2026-11-21T09:00:05.000Z", "ageSeconds": 0,
            ],
            ["silenceMilliseconds": 7000],
          ],
        ],
        [
          "key": "demo/unused", "queue": 0, "inFlight": 0, "stale": 0, "reclaimed": 0, "lost": 0,
          "overLengthMilliseconds": 0, "holders": [],
        ],
      ])
    #expect(SemaphoreReport.json([], now: 0) == "[]\n")
  }

  /// Whoever knows a token can release the permit.
  @Test func theTokenIsNotShown() {
    #expect(!SemaphoreReport.table(Self.reports, now: 0).contains("secret-token"))
    #expect(!SemaphoreReport.json(Self.reports, now: 0).contains("secret-token"))
  }
}
