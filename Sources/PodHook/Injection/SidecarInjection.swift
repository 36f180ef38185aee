import AdmissionReview
import Coordination
import JSON

/// Puts the sidecar into a Pod: computes the smallest patch from the Pod as it was sent.
struct SidecarInjection {
  let identity: HookIdentity
  let template: SidecarTemplate
  let pod: PodManifest

  /// What the injected container is to hold.
  struct Grant {
    let key: NamespacedKey
    let token: Token
    /// What the sidecar must be told beside them.
    let arguments: [String]
    /// Nil when there is none, or nothing was granted at admission.
    let fencingToken: UInt64?
  }

  struct Result {
    var patch = JSONPatch()
    /// What the user should know, without being refused.
    var warnings: [String] = []
  }

  /// Sidecars of ours that are in the Pod already.
  var existing: [PodManifest.Container] {
    pod.containers.filter { $0.name == identity.containerName }
  }

  var others: [PodManifest.Container] {
    pod.containers.filter { $0.name != identity.containerName }
  }

  func inject(_ grant: Grant) throws(JSONError) -> Result {
    var result = Result()
    let others = others
    let port = pod.isHostNetwork ? nil : try freePort(beside: others)
    let sidecar = SidecarContainer(
      identity: identity, template: template, key: grant.key, token: grant.token,
      lockID: grant.token.publicID, terms: grant.arguments, port: port,
      isGuaranteed: try QualityOfService.isGuaranteed(pod, others),
      gracePeriod: try gracePeriod())
    try writeMetadata(grant, sidecar, to: &result.patch)
    // The fence first: its paths are valid only while no container has moved.
    try writeFence(sidecar, others, to: &result)
    try place(sidecar, in: &result.patch)
    if let secret = template.secret { try writeVolume(secret, to: &result.patch) }
    return result
  }

  /// What Istio's proxy must leave alone, merged into what the Pod already says. Also done when
  /// Istio has come into the Pod after us.
  func writeIstioAnnotations(probePort: Int?, to patch: inout JSONPatch) throws(JSONError) {
    guard try pod.isInIstioMesh() else { return }
    let lists = [
      ("excludeInboundPorts", probePort.map { [$0] } ?? []),
      ("excludeOutboundPorts", template.storePorts),
    ]
    for (name, ports) in lists where !ports.isEmpty {
      let annotation = "traffic.sidecar.istio.io/\(name)"
      let present = try pod.annotations?.field(annotation)?.string ?? ""
      var list = present.split(separator: ",").map { String($0.trimmingSpaces) }
      if list.contains("*") { continue }
      let missing = ports.map(String.init).filter { !list.contains($0) }
      if missing.isEmpty { continue }
      list += missing
      let joined = list.joined(separator: ",")
      patch.add(JSONPointer("metadata", "annotations", annotation)) { $0.string(joined) }
    }
  }

  /// Within what the sidecar takes; the API server judges after us.
  private func gracePeriod() throws(JSONError) -> Int {
    let seconds = try pod.spec?.field("terminationGracePeriodSeconds")?.integer ?? 30
    return min(max(seconds, 0), SidecarOptions.longestGracePeriod)
  }

  private func writeMetadata(
    _ grant: Grant, _ sidecar: SidecarContainer, to patch: inout JSONPatch
  ) throws(JSONError) {
    let annotation = JSONPointer("metadata", "annotations", identity.fencingTokenAnnotation)
    if let fencingToken = grant.fencingToken {
      patch.add(annotation) { $0.string(String(fencingToken)) }
    } else if try pod.annotations?.field(identity.fencingTokenAnnotation) != nil {
      patch.remove(annotation)
    }
    try writeIstioAnnotations(probePort: sidecar.port, to: &patch)
    if pod.labels?.isObject != true {
      patch.add(JSONPointer("metadata", "labels")) { $0.object { _ in } }
    }
    patch.add(JSONPointer("metadata", "labels", identity.managedLabel)) { $0.string("true") }
    patch.add(JSONPointer("metadata", "labels", identity.lockIDLabel)) {
      $0.string(sidecar.lockID)
    }
  }

  /// A single stale sidecar in the right list is replaced where it is; anything else of ours is
  /// removed, and the new one put in its place.
  private func place(_ sidecar: SidecarContainer, in patch: inout JSONPatch) throws(JSONError) {
    let list: PodManifest.Container.List = template.isGated ? .initContainers : .containers
    let stale = existing
    if stale.count == 1, let old = stale.first, old.list == list {
      patch.replace(JSONPointer("spec", list.rawValue, String(old.index))) {
        sidecar.write(to: &$0)
      }
      return
    }
    for old in stale.reversed() {
      patch.remove(JSONPointer("spec", old.list.rawValue, String(old.index)))
    }
    guard try pod.hasList(list) else {
      patch.add(JSONPointer("spec", list.rawValue)) { writer in
        writer.beginArray()
        sidecar.write(to: &writer)
        writer.endArray()
      }
      return
    }
    // An ordinary container has no place in line.
    let position = template.isGated && template.position == .first ? "0" : "-"
    patch.add(JSONPointer("spec", list.rawValue, position)) { sidecar.write(to: &$0) }
  }

  private func writeVolume(_ secret: String, to patch: inout JSONPatch) throws(JSONError) {
    let volumes = try pod.spec?.field("volumes")
    let write = { (writer: inout JSONWriter) in
      writer.object { volume in
        volume.field("name", identity.secretVolumeName)
        volume.object("secret") { $0.field("secretName", secret) }
      }
    }
    for (index, volume) in (volumes?.elements ?? []).enumerated()
    where try volume.field("name")?.string == identity.secretVolumeName {
      // Came with a copied manifest, perhaps from when the Secret had another name.
      if try volume.field("secret", "secretName")?.string != secret {
        patch.replace(JSONPointer("spec", "volumes", String(index)), write)
      }
      return
    }
    if volumes?.isArray == true {
      patch.add(JSONPointer("spec", "volumes", "-"), write)
    } else {
      patch.add(JSONPointer("spec", "volumes")) { writer in
        writer.beginArray()
        write(&writer)
        writer.endArray()
      }
    }
  }

  /// The probe port, or the next lower one that no other container uses.
  private func freePort(beside others: [PodManifest.Container]) throws(JSONError) -> Int {
    var used: Set<Int> = []
    let ids = try Self.lockIDs(servedBy: others)
    for container in others {
      let isStale = try Self.hasStaleFence(container, others: ids)
      used.formUnion(
        try PodManifest.ports(
          of: container.node, probes: isStale ? ["startupProbe", "readinessProbe"] : nil))
    }
    var port = template.probePort
    while used.contains(port), port > 1 { port -= 1 }
    return port
  }
}

extension Substring {
  fileprivate var trimmingSpaces: Substring {
    let start = drop { $0 == " " }
    return start.lastIndex { $0 != " " }.map { start[...$0] } ?? ""
  }
}
