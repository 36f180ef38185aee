import AdmissionReview
import Coordination
import JSON

extension SidecarInjection {
  private static let fencePath = "/held/"

  /// With the fence `liveness`, gives the application containers a probe that ends them. In any
  /// case nothing is left of the probes that an earlier sidecar of ours brought along.
  func writeFence(
    _ sidecar: SidecarContainer, _ others: [PodManifest.Container], to result: inout Result
  ) throws(JSONError) {
    let isWanted = template.isGated && template.fence == .liveness
    if isWanted, sidecar.port == nil {
      result.warnings.append(
        "fence liveness needs a port: the containers of this hostNetwork Pod are not stopped "
          + "when the lock is lost")
    }
    let ids = try Self.lockIDs(servedBy: others)
    for container in others where container.list == .containers {
      let place = JSONPointer(
        "spec", container.list.rawValue, String(container.index), "livenessProbe")
      let isStale = try Self.hasStaleFence(container, others: ids)
      if isWanted, sidecar.port != nil {
        let hasOwn = try container.node.field("livenessProbe").map { !$0.isNull } ?? false
        if isStale || !hasOwn {
          result.patch.add(place) { sidecar.writeFenceProbe(to: &$0) }
        } else {
          result.warnings.append(
            "container \(container.name) keeps its own livenessProbe: it is not stopped when the "
              + "lock is lost")
        }
      } else if isStale {
        result.patch.remove(place)
      }
    }
  }

  /// Whether a container has a liveness probe on a lock that nothing in this Pod keeps any more.
  static func hasStaleFence(
    _ container: PodManifest.Container, others ids: Set<String>
  ) throws(JSONError) -> Bool {
    guard let path = try container.node.field("livenessProbe", "httpGet", "path")?.string,
      path.hasPrefix(fencePath)
    else { return false }
    let id = path.dropFirst(fencePath.count)
    let isID = id.utf8.count == 16 && id.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) }
    return isID && !ids.contains(String(id))
  }

  /// The public ids of the locks that other hooks' sidecars keep.
  static func lockIDs(
    servedBy containers: [PodManifest.Container]
  ) throws(JSONError) -> Set<String> {
    var ids: Set<String> = []
    for container in containers {
      let arguments = try container.node.field("args")?.elements.compactMap(\.string) ?? []
      if arguments.count > 2, arguments[0] == "sidecar" {
        ids.insert(Token(arguments[2]).publicID)
      }
    }
    return ids
  }
}
