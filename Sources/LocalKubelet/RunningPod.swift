package import JSON
import LocalServers

/// A Pod on a node of its own: real sidecar processes, applications behind their gate.
///
/// It lives as long as the ``LocalKubelet`` that created it.
package final class RunningPod: Sendable {
  struct State: Sendable {
    var events: [TimedPodEvent] = []
    var ending: Ending?
    var sidecars: [String: LocalProcess] = [:]
    var applications: [String: LocalProcess] = [:]
    /// Application containers that ended and do not start again.
    var finished: Set<String> = []
    var applicationsRun = false
  }

  /// Why the containers of a Pod are to end.
  enum Ending: Sendable {
    /// All start again.
    case restart
    /// None does.
    case stop
  }

  package let name: String
  package let namespace: String
  package let uid: String
  /// The Pod as it was stored: after admission, with name, uid and node.
  package let object: JSONValue
  /// What admission warned about.
  package let warnings: [String]

  let containers: [ContainerSpec]
  /// Where the sidecars' probe servers listen, by container.
  package let probePorts: [String: Int]
  /// Stands for the Pod's `/dev/shm`.
  let sharedDirectory: String
  let kubelet: LocalKubelet
  let state = Observed(State())

  init(admitted pod: JSONValue, warnings: [String], by kubelet: LocalKubelet) throws {
    var pod = pod
    let metadata = pod["metadata"] ?? [:]
    name =
      metadata["name"]?.string
      ?? "\(metadata["generateName"]?.string ?? "pod-")\(RandomName.suffix())"
    namespace = metadata["namespace"]?.string ?? "default"
    uid = RandomName.uid()
    pod["metadata"]?["name"] = .string(name)
    pod["metadata"]?["uid"] = .string(uid)
    pod["spec"]?["nodeName"] = .string("node-of-\(name)")
    object = pod
    self.warnings = warnings
    sharedDirectory = try kubelet.processes.newDirectory("shared")
    self.kubelet = kubelet
    var containers = ContainerSpec.all(
      in: pod,
      fields: [
        "metadata.name": name, "metadata.namespace": namespace, "metadata.uid": uid,
        "spec.nodeName": "node-of-\(name)", "status.podIP": "127.0.0.1",
        "status.hostIP": "127.0.0.1",
      ])
    var ports: [String: Int] = [:]
    var moves: [Int: Int] = [:]
    for index in containers.indices where containers[index].isHookSidecar {
      guard let move = try containers[index].moveProbe() else { continue }
      ports[containers[index].name] = move.to
      moves[move.from] = move.to
    }
    for index in containers.indices {
      let probe = containers[index].livenessProbe
      containers[index].livenessProbe =
        probe?.port.flatMap { port in
          moves[port].map { probe?.moved(from: port, to: $0) }
        } ?? nil
    }
    self.containers = containers
    probePorts = ports
    record(.admitted)
  }

  /// An annotation of the stored Pod.
  package func annotation(_ key: String) -> String? {
    object["metadata"]?["annotations"]?[key]?.string
  }

  /// Everything that happened so far, in order.
  package var events: [TimedPodEvent] { state.current.events }

  /// Whether application containers run now.
  package var isAppRunning: Bool { state.current.applicationsRun }

  /// What the sidecars wrote lately; for reports of failures.
  package var sidecarOutput: [String] {
    state.current.sidecars.values.flatMap(\.output)
  }

  /// Waits for the `count`-th occurrence of an event; at once if it already happened.
  ///
  /// Throws ``LocalServersError`` (`deadline`) with the events that did happen and the sidecar's
  /// last lines.
  @discardableResult
  package func wait(
    for event: PodEvent, count: Int = 1, within limit: Duration = .seconds(30)
  ) async throws -> TimedPodEvent {
    try await wait(within: limit, "\(event)") { events in
      let matches = events.filter { $0.event == event }
      return matches.count >= count ? matches[count - 1] : nil
    }
  }

  /// Waits until `match` makes something of the events.
  package func wait<Value: Sendable>(
    within limit: Duration = .seconds(30), _ expectation: String,
    _ match: @escaping @Sendable ([TimedPodEvent]) -> Value?
  ) async throws -> Value {
    do {
      return try await withDeadline(limit, "Pod \(name): \(expectation)") { [state] in
        try await state.first { match($0.events) }
      }
    } catch let error as LocalServersError where error.kind == .deadline {
      let seen = events.map { "\($0.event)" }.joined(separator: ", ")
      throw LocalServersError(
        .deadline,
        "\(error.message); seen: \(seen)\n\(sidecarOutput.suffix(20).joined(separator: "\n"))")
    }
  }

  func record(_ event: PodEvent) {
    state.update { $0.events.append(TimedPodEvent(event: event, at: .now)) }
  }
}
