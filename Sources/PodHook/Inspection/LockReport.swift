package import Coordination
import JSON
import ServiceKit

/// What `status` shows of one lock.
package struct LockReport: Sendable {
  package let key: NamespacedKey
  package let snapshot: LockSnapshot

  package init(key: NamespacedKey, snapshot: LockSnapshot) {
    self.key = key
    self.snapshot = snapshot
  }

  /// Lines for people, aligned under a header.
  ///
  /// - Parameter now: seconds since 1970.
  package static func table(_ reports: [LockReport], now: Int) -> String {
    var rows = [["KEY", "POD", "NODE", "AGE", "TIME LEFT", "FENCING TOKEN"]]
    rows += reports.map { $0.row(now: now) }
    return TextTable.text(rows)
  }

  /// A JSON array with one object for each lock.
  package static func json(_ reports: [LockReport], now: Int) -> String {
    var writer = JSONWriter()
    writer.beginArray()
    for report in reports { writer.object { report.write(to: &$0, now: now) } }
    writer.endArray()
    return writer.string + "\n"
  }

  private func row(now: Int) -> [String] {
    guard let owner = snapshot.owner else {
      return [key.description, "(free)", "-", "-", "-", fencingToken]
    }
    let holder = owner.record.holder
    return [
      key.description, Holder.name(holder), holder?.node ?? "-",
      Holder.age(holder, now: now),
      owner.timeLeft.map { Duration.seconds($0.components.seconds).text } ?? "never ends",
      fencingToken,
    ]
  }

  private var fencingToken: String {
    snapshot.fencingToken == 0 ? "-" : String(snapshot.fencingToken)
  }

  private func write(to lock: inout JSONWriter, now: Int) {
    lock.field("key", key.description)
    lock.field("held", snapshot.owner != nil)
    lock.field("fencingToken", snapshot.fencingToken)
    guard let owner = snapshot.owner else { return }
    if let timeLeft = owner.timeLeft {
      let (seconds, attoseconds) = timeLeft.components
      lock.field("timeLeftMilliseconds", seconds * 1000 + attoseconds / 1_000_000_000_000_000)
    }
    guard let holder = owner.record.holder else { return }
    lock.object("holder") { holder.write(to: &$0, now: now) }
  }
}
