import AsyncHTTPClient
import JSON
import LocalKubelet
import Testing

/// The annotations' names.
func permitAnnotation(_ short: String, variant: String? = nil) -> String {
  "\(variant.map { "\($0)." } ?? "")\(HookProgram.atLeastSemaphore.domain)/\(short)"
}

/// A bare Pod that needs a permit.
func permitPod(
  _ name: String, key: String, length: Int, expiration: Int = 5, policy: String? = nil
) -> JSONValue {
  var pod = plainPod(name)
  pod.askForPermit(of: key, length: length, expiration: expiration, policy: policy)
  return pod
}

extension JSONValue {
  /// Adds the annotations by which a Pod needs a permit.
  mutating func askForPermit(
    of key: String, length: Int, expiration: Int = 5, policy: String? = nil, variant: String? = nil
  ) {
    var annotations = self["metadata"]?["annotations"] ?? [:]
    annotations[permitAnnotation("at-least-semaphore-pod", variant: variant)] = "true"
    annotations[permitAnnotation("key", variant: variant)] = .string(key)
    annotations[permitAnnotation("length", variant: variant)] = .string(String(length))
    annotations[permitAnnotation("expiration", variant: variant)] = .string(String(expiration))
    if let policy {
      annotations[permitAnnotation("policy", variant: variant)] = .string(policy)
    }
    self["metadata"]?["annotations"] = annotations
  }
}

extension RunningPod {
  /// Waits until a sidecar of this Pod has logged `text`.
  func log(_ text: String) async throws {
    try await eventually("\(name) logs “\(text)”") {
      self.sidecarOutput.contains { $0.contains(text) } ? true : nil
    }
  }
}

extension RunningPod {
  /// What the only sidecar of this Pod counts under a name.
  func metric(_ name: String) async throws -> Double {
    let port = try #require(probePorts.values.first)
    let page = try await HTTPClient.shared.get("http://127.0.0.1:\(port)/metrics")
    return try Exposition(page.text).sum(name)
  }

  /// Waits until the store has taken a heartbeat that was sent after now.
  func nextHeartbeat() async throws {
    let name = "permit_heartbeats_total"
    let known = try await metric(name)
    // The next one may be under way already.
    try await eventually("\(self.name) gives two signs of life") {
      try await self.metric(name) >= known + 2 ? true : nil
    }
  }
}

extension LocalKubelet {
  /// Asks for a Pod again and again until it is admitted.
  /// - Returns: also when the request was sent that was granted.
  func createWhenAdmitted(
    _ pod: JSONValue
  ) async throws -> (pod: RunningPod, asked: ContinuousClock.Instant) {
    try await eventually("\(pod["metadata"]?["name"]?.string ?? "") is admitted") {
      let asked = ContinuousClock.now
      do {
        return (try await self.create(pod), asked)
      } catch is PodRefusal {
        return nil
      }
    }
  }
}
