import JSON
import LocalKubelet

/// The annotations' names.
func annotation(_ short: String, variant: String? = nil) -> String {
  "\(variant.map { "\($0)." } ?? "")exactly-one-pod-hook.kaidotio.github.io/\(short)"
}

/// A bare Pod that nobody guards.
func plainPod(_ name: String) -> JSONValue {
  [
    "apiVersion": "v1", "kind": "Pod",
    "metadata": ["name": .string(name), "namespace": "team-a"],
    "spec": [
      "containers": [
        ["name": "app", "image": "example.test/app:1", "command": ["sleep", "1000"]]
      ],
      "terminationGracePeriodSeconds": 10,
    ],
  ]
}

/// A bare Pod that shares `key` with others.
func guardedPod(
  _ name: String, key: String, expiration: Int = 30, policy: String? = nil, variant: String? = nil
) -> JSONValue {
  var pod = plainPod(name)
  pod.ask(for: key, expiration: expiration, policy: policy, variant: variant)
  return pod
}

extension JSONValue {
  /// Adds the annotations by which a Pod is guarded.
  mutating func ask(
    for key: String, expiration: Int = 30, policy: String? = nil, variant: String? = nil
  ) {
    var annotations = self["metadata"]?["annotations"] ?? [:]
    annotations[annotation("exactly-one-pod", variant: variant)] = "true"
    annotations[annotation("key", variant: variant)] = .string(key)
    annotations[annotation("expiration", variant: variant)] = .string(String(expiration))
    if let policy { annotations[annotation("policy", variant: variant)] = .string(policy) }
    self["metadata"]?["annotations"] = annotations
  }

  mutating func rename(_ name: String) { self["metadata"]?["name"] = .string(name) }

  mutating func set(gracePeriod: Int) {
    self["spec"]?["terminationGracePeriodSeconds"] = .number(String(gracePeriod))
  }

  /// The containers of a Pod that are the hook's.
  var sidecars: [JSONValue] {
    let spec = self["spec"]
    let all = (spec?["initContainers"]?.array ?? []) + (spec?["containers"]?.array ?? [])
    return all.filter { $0["args"]?.array?.first?.string == "sidecar" }
  }

  /// The token that the only sidecar of a Pod was given.
  var sidecarToken: String? {
    guard sidecars.count == 1, let arguments = sidecars[0]["args"]?.array, arguments.count > 2
    else { return nil }
    return arguments[2].string
  }

  /// The fencing token that admission wrote down.
  var fencingToken: Int? {
    self["metadata"]?["annotations"]?[annotation("fencing-token")]?.string.flatMap { Int($0) }
  }
}

extension LocalKubelet {
  /// Creates a Pod that must be refused.
  func refusal(of pod: JSONValue) async throws -> PodRefusal {
    do {
      let pod = try await create(pod)
      throw LocalKubeletError(.webhook, "Pod \(pod.name) was admitted although it must not be")
    } catch let refusal as PodRefusal {
      return refusal
    }
  }
}

extension RunningPod {
  /// How often something has happened.
  func count(_ event: PodEvent) -> Int { events.count { $0.event == event } }

  /// The lock once the sidecar says that it holds it.
  func heldLock(of container: String? = nil) async throws -> SidecarLock {
    try await eventually("the sidecar of \(name) holds its lock") {
      guard let lock = try? await self.lock(of: container), lock.held else { return nil }
      return lock
    }
  }
}
