import JSON
import LocalKubelet
import LocalServers

/// Controllers that each want one Pod to run, all of one semaphore, and the Pods that they made.
final class Crowd: Sendable {
  private struct State {
    var pods: [RunningPod] = []
    /// Refusals for want of a permit.
    var refusals = 0
    /// What a webhook may not say.
    var faults: [String] = []
  }

  let cluster: LocalCluster
  let key: String
  let length: Int
  /// Every such contender's Pods wait for a permit instead of being refused; 0: none.
  let waitingShare: Int
  /// The longest pause between two attempts.
  let pause: Duration
  private let state = Observed(State())

  init(
    _ cluster: LocalCluster, key: String, length: Int, waitingShare: Int, pause: Duration
  ) {
    self.cluster = cluster
    self.key = key
    self.length = length
    self.waitingShare = waitingShare
    self.pause = pause
  }

  var pods: [RunningPod] { state.current.pods }
  /// Those that are not gone.
  var living: [RunningPod] { pods.filter { $0.events.last?.event != .stopped } }
  var running: [RunningPod] { pods.filter(\.isAppRunning) }
  var refusals: Int { state.current.refusals }
  var faults: [String] { state.current.faults }

  func isWaiting(_ number: Int) -> Bool { waitingShare > 0 && number % waitingShare == 0 }

  /// Keeps a Pod alive until the task is cancelled.
  func contend(as number: Int, using random: inout SeededRandom) async {
    var round = 0
    while !Task.isCancelled {
      let wait = pause * Double.random(in: 0.2...1, using: &random)
      guard (try? await Task.sleep(for: wait)) != nil else { return }
      round += 1
      let object = permitPod(
        "pod-\(number)-\(round)", key: key, length: length, expiration: 2,
        policy: isWaiting(number) ? "wait" : nil)
      do {
        let pod = try await cluster.kubelet.create(object)
        state.update { $0.pods.append(pod) }
        let _: Bool = try await pod.wait(within: .seconds(600), "stops") {
          $0.last?.event == .stopped ? true : nil
        }
      } catch let refusal as PodRefusal {
        note(refusal)
      } catch {
        // No webhook answered: it was killed.
        continue
      }
    }
  }

  private func note(_ refusal: PodRefusal) {
    state.update { state in
      if refusal.message.contains("no semaphore available") {
        state.refusals += 1
        if refusal.code != 403 { state.faults.append("\(refusal.code): \(refusal.message)") }
      } else if refusal.code != 500 {
        // A store that is away is an error, and nothing else may be one.
        state.faults.append("\(refusal.code): \(refusal.message)")
      }
    }
  }
}
