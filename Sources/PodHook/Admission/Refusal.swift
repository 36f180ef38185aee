import Coordination
import ServiceKit

/// The sentences that a user reads when a Pod is refused.
enum Refusal {
  /// - Parameters:
  ///   - newcomer: the owner of the refused Pod, as `Kind/name`.
  ///   - now: seconds since 1970.
  static func lockTaken(_ owner: LockOwnership, newcomer: String?, now: Int) -> String {
    var text = "lock already taken"
    if let holder = owner.record.holder {
      text += " by Pod \(holder.displayName)"
      if let node = holder.node { text += " on node \(node)" }
      text +=
        " since \(LogTimestamp.text(seconds: holder.since, milliseconds: 0)) (\(max(now - holder.since, 0)) s ago)"
      if holder.podUID == nil { text += ", which is starting" }
    } else {
      text += " by a holder that left no name"
    }
    if let timeLeft = owner.timeLeft {
      let seconds = Int(timeLeft.components.seconds)
      text += "; without a sign of life it frees itself in \(seconds) s"
    }
    if let workload = sameWorkload(newcomer, owner.record.holder?.owner) {
      text +=
        "; both Pods belong to \(workload): if it is a Deployment, set strategy: Recreate, since "
        + "a rolling update starts the new Pod before it stops the old one"
    }
    return text
  }

  static func noPermit(_ counts: SemaphoreCounts, length: Int) -> String {
    var text =
      "no semaphore available: \(counts.inFlight) of \(length) "
      + (length == 1 ? "permit is in flight" : "permits are in flight")
    guard let oldest = counts.oldest else { return text }
    text += "; the holder longest without a sign of life is "
    if let holder = oldest.holder {
      text += "Pod \(holder.displayName)"
      if let node = holder.node { text += " on node \(node)" }
      if holder.podUID == nil { text += ", which is starting" }
    } else {
      text += "one that left no name"
    }
    return text + ", \(max(oldest.silence.components.seconds, 0)) s ago"
  }

  /// The Deployment behind two ReplicaSets, or the ReplicaSet if they are one.
  private static func sameWorkload(_ left: String?, _ right: String?) -> String? {
    guard let left, let right, left.hasPrefix("ReplicaSet/"), right.hasPrefix("ReplicaSet/")
    else { return nil }
    let names = [left, right].map { owner in
      let name = owner.dropFirst("ReplicaSet/".count)
      // A Deployment's ReplicaSet is called <deployment>-<hash>.
      return name.lastIndex(of: "-").map { name[..<$0] } ?? name
    }
    return names[0] == names[1] ? String(names[0]) : nil
  }
}
