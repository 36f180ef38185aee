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
    let widths = rows.reduce(into: [Int](repeating: 0, count: 6)) { widths, row in
      for (column, cell) in row.enumerated() { widths[column] = max(widths[column], cell.count) }
    }
    return rows.map { row in
      var line = ""
      for (cell, width) in zip(row, widths) {
        line += cell + String(repeating: " ", count: width - cell.count + 3)
      }
      while line.last == " " { line.removeLast() }
      return line + "\n"
    }.joined()
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
    let pod = holder.map { $0.displayName + ($0.podUID == nil ? " (starting)" : "") }
    return [
      key.description, pod ?? "(no name)", holder?.node ?? "-",
      holder.map { Duration.seconds(max(now - $0.since, 0)).text } ?? "-",
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
    lock.object("holder") { object in
      object.field(holder.isGeneratedName ? "generateName" : "pod", holder.pod)
      if let uid = holder.podUID { object.field("uid", uid) }
      if let node = holder.node { object.field("node", node) }
      if let name = holder.owner { object.field("owner", name) }
      object.field("since", LogTimestamp.text(seconds: holder.since, milliseconds: 0))
      object.field("ageSeconds", max(now - holder.since, 0))
    }
  }
}
