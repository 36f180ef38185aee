import Coordination
import JSON
import ServiceKit

/// Holders in reports. Ages are by the clock of who took the lock or permit, for people.
extension Holder {
  static func name(_ holder: Holder?) -> String {
    holder.map { $0.displayName + ($0.podUID == nil ? " (starting)" : "") } ?? "(no name)"
  }

  /// - Parameter now: seconds since 1970.
  static func age(_ holder: Holder?, now: Int) -> String {
    holder.map { Duration.seconds(max(now - $0.since, 0)).text } ?? "-"
  }

  func write(to object: inout JSONWriter, now: Int) {
    object.field(isGeneratedName ? "generateName" : "pod", pod)
    if let podUID { object.field("uid", podUID) }
    if let node { object.field("node", node) }
    if let owner { object.field("owner", owner) }
    object.field("since", LogTimestamp.text(seconds: since, milliseconds: 0))
    object.field("ageSeconds", max(now - since, 0))
  }
}
