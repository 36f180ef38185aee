package import Coordination
import JSON
import ServiceKit

/// What `status` shows of one semaphore.
package struct SemaphoreReport: Sendable {
  package let key: NamespacedKey
  package let counts: SemaphoreCounts
  /// Those in flight, longest without a heartbeat first.
  package let permits: [Permit]

  package init(key: NamespacedKey, counts: SemaphoreCounts, permits: [Permit]) {
    self.key = key
    self.counts = counts
    self.permits = permits
  }

  /// Two tables for people: the semaphores, and who has their permits.
  ///
  /// - Parameter now: seconds since 1970.
  package static func table(_ reports: [SemaphoreReport], now: Int) -> String {
    let semaphores = reports.map { report in
      let counts = report.counts
      return [
        report.key.description, counts.length.map { String($0) } ?? "-", String(counts.queue),
        String(counts.inFlight), String(counts.stale), String(counts.reclaimed),
      ]
    }
    let holders = reports.flatMap { report in
      report.permits.map { permit in
        [
          report.key.description, Holder.name(permit.holder), permit.holder?.node ?? "-",
          Holder.age(permit.holder, now: now),
          Duration.seconds(max(permit.silence.components.seconds, 0)).text + " ago",
        ]
      }
    }
    var text = TextTable.text(
      [["KEY", "LENGTH", "QUEUE", "IN FLIGHT", "STALE", "RECLAIMED"]] + semaphores)
    if !holders.isEmpty {
      text += "\n" + TextTable.text([["KEY", "POD", "NODE", "AGE", "LAST HEARTBEAT"]] + holders)
    }
    return text
  }

  /// A JSON array with one object for each semaphore.
  package static func json(_ reports: [SemaphoreReport], now: Int) -> String {
    var writer = JSONWriter()
    writer.beginArray()
    for report in reports { writer.object { report.write(to: &$0, now: now) } }
    writer.endArray()
    return writer.string + "\n"
  }

  private func write(to object: inout JSONWriter, now: Int) {
    object.field("key", key.description)
    if let length = counts.length { object.field("length", length) }
    object.field("queue", counts.queue)
    object.field("inFlight", counts.inFlight)
    object.field("stale", counts.stale)
    object.field("reclaimed", counts.reclaimed)
    object.field("lost", counts.lost)
    object.field("overLengthMilliseconds", counts.overLength.milliseconds)
    object.array("holders") { list in
      for permit in permits {
        list.object { entry in
          entry.field("silenceMilliseconds", permit.silence.milliseconds)
          if let holder = permit.holder { holder.write(to: &entry, now: now) }
        }
      }
    }
  }
}

extension Duration {
  fileprivate var milliseconds: Int64 {
    components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
  }
}
