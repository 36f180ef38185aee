import LocalKubelet
import LocalServers
import Testing

/// Pods, nodes, sidecars, webhooks and the queue's Redis die, freeze and come back at random.
///
/// Every process is a real one; contenders that are refused are requests to the webhooks, and become
/// Pods with sidecars as soon as they are admitted.
@Suite struct SemaphoreChaosTests {
  struct Scene: Sendable, CustomTestStringConvertible {
    let permits: Int
    let contenders: Int
    /// Every such contender waits behind the gate instead of being refused; 0: none.
    var waitingShare = 0
    let faults: Int
    var staleSeconds = 3
    var pause = Duration.milliseconds(300)
    var seed = UInt64.random(in: 0 ... .max)

    var testDescription: String {
      "\(permits) permits, \(contenders) contenders, seed \(seed)"
    }
  }

  @Test(arguments: [
    Scene(permits: 1, contenders: 4, waitingShare: 2, faults: 22),
    Scene(permits: 2, contenders: 6, waitingShare: 3, faults: 22),
    Scene(permits: 3, contenders: 2, faults: 16),
    Scene(permits: 3, contenders: 9, waitingShare: 4, faults: 22),
  ])
  func neverTooManyAndNeverTooFew(_ scene: Scene) async throws { try await play(scene) }

  /// Half a thousand want fifty permits. Starting so many sidecars takes two cores a while, in which
  /// nobody is to be taken for dead: the threshold is higher here.
  @Test func ofFiveHundredFiftyRun() async throws {
    try await play(
      Scene(
        permits: 50, contenders: 500, faults: 24, staleSeconds: 6, pause: .seconds(5)))
  }

  private func play(_ scene: Scene) async throws {
    let clock = UnixClock()
    try await withCluster {
      $0.guardWithPermits(staleAfter: scene.staleSeconds, replicas: 2)
      $0.redis.appendOnly = true
      $0.kubelet.probePeriod = .milliseconds(100)
    } _: { cluster in
      let crowd = Crowd(
        cluster, key: "chaos", length: scene.permits, waitingShare: scene.waitingShare,
        pause: scene.pause)
      do {
        try await withThrowingDiscardingTaskGroup { contenders in
          defer { contenders.cancelAll() }
          for number in 0..<scene.contenders {
            contenders.addTask {
              var random = SeededRandom(seed: scene.seed &+ UInt64(number) &+ 1)
              await crowd.contend(as: number, using: &random)
            }
          }
          try await expectAllRun(crowd, scene)
          var mischief = Mischief(
            to: crowd, staleAfter: .seconds(scene.staleSeconds), seed: scene.seed)
          try await mischief.wreak(scene.faults)
          try await expectQuiet(crowd, scene)
          try await expectNoOverlap(crowd, scene, clock)
        }
      } catch {
        Issue.record("\(scene): \(error)")
      }
    }
  }

  /// Waits until as many run as can, all of them holders, and nothing of the semaphore is missing.
  private func expectAllRun(_ crowd: Crowd, _ scene: Scene) async throws {
    let expected = min(scene.permits, scene.contenders)
    try await eventually("\(expected) run", within: .seconds(45)) { () -> Bool? in
      let counts = try await crowd.cluster.rawCounts(crowd.key)
      let holders = try await crowd.cluster.rawHolders(crowd.key)
      let running = Set(crowd.running.map(\.uid))
      // As many as can may be others than the holders: one that was taken for dead has not heard of
      // it yet, and who took its place has not started.
      guard running.count == expected, running.isSubset(of: holders),
        counts.queue + counts.inFlight == scene.permits
      else { return nil }
      // Permits of the dead are reclaimed by whoever asks next.
      return scene.contenders < scene.permits || counts.inFlight == expected ? true : nil
    }
  }

  /// Waits for that, and for its being so when all who are left out have asked again.
  private func expectQuiet(_ crowd: Crowd, _ scene: Scene) async throws {
    try await expectAllRun(crowd, scene)
    // The Pods of the others are there and wait behind their gates.
    let asking = scene.contenders - crowd.living.count
    let asked = crowd.refusals
    try await eventually("\(asking) ask again") { crowd.refusals >= asked + asking ? true : nil }
    try await expectAllRun(crowd, scene)
  }

  private func expectNoOverlap(
    _ crowd: Crowd, _ scene: Scene, _ clock: UnixClock
  ) async throws {
    let about = "\(LocalCluster.semaphorePrefix)semaphore/team-a/\(crowd.key)"
    let reclaimed = try await crowd.cluster.ask(crowd.cluster.queue, "HGET", about, "reclaimed")
    let history = PermitHistory(
      of: "team-a/\(crowd.key)", prefix: LocalCluster.semaphorePrefix,
      in: try AppendOnlyFile.commands(of: crowd.cluster.queue))
    #expect(history.peak == scene.permits && history.peakInFlight <= scene.permits, "\(scene)")
    // The history lacks none whom the server says it took for dead, and none of them was alive.
    #expect(history.reclaimed.count >= Int(reclaimed.first ?? "") ?? 0, "\(scene)")
    #expect(
      history.reclaimedAlive(threshold: Double(scene.staleSeconds)).isEmpty, "\(scene)")
    let overlaps = Overlaps(of: crowd.pods, length: scene.permits, history, clock)
    #expect(overlaps.unpermitted.isEmpty, "\(scene)")
    #expect(overlaps.crowds.isEmpty, "\(scene)")
    #expect(crowd.faults.isEmpty, "\(scene)")
    let running = Set(crowd.running.map(\.uid))
    let holders = Set(history.holders.compactMap { $0 })
    #expect(running.isSubset(of: holders), "\(scene)")
    if scene.contenders > scene.permits { #expect(holders == running, "\(scene)") }
    // Otherwise nothing was tried.
    #expect(crowd.pods.count > min(scene.permits, scene.contenders), "\(scene)")
  }
}
