import EtcdClient
import JSON

/// What is known about a semaphore apart from its permits, as it stands in etcd.
///
/// Whoever changes how many permits there are, free or in flight, writes it in the same transaction,
/// on the condition that nobody else has. Taking and giving back leave it alone, and so does a lease
/// that runs out: hence `total` is never less than what there is, and what is missing was reclaimed.
struct EtcdSemaphoreRecord: Sendable, Hashable {
  /// The length that was stated last.
  var length: Int
  /// The sum of free permits and those in flight.
  var total: Int
  /// So many of them, at most, are missing because a trimming has taken them out of the queue.
  var trimmed = 0
  var reclaimed = 0
  var lost = 0
  var overLengthMilliseconds = 0

  /// How many permits are made or trimmed in one step: a thousand, or fewer if their names would not
  /// fit into a request, which etcd limits to 1.5 MiB.
  static func step(nameLength: Int) -> Int { min(1000, (1 << 20) / (nameLength + 64)) }

  /// What one step of settling does.
  struct Change: Sendable, Hashable {
    let record: EtcdSemaphoreRecord
    /// New placeholders.
    let filled: Int
    /// Placeholders that go.
    let trimmed: Int
  }

  /// The next step on the way to `length` permits.
  /// - Parameters:
  ///   - known: the record of before, if there is one.
  ///   - step: the most permits that are made or trimmed.
  /// - Returns: nil if nothing is left to do.
  static func change(
    of known: EtcdSemaphoreRecord?, queue: Int, inFlight: Int, length: Int, step: Int = 1000
  ) -> Change? {
    let total = queue + inFlight
    let filled = min(max(0, length - total), step)
    let trimmed = min(max(0, total - length), queue, step)
    var next = known ?? EtcdSemaphoreRecord(length: length, total: total)
    next.reclaimed += max(0, next.total - total - next.trimmed)
    next.length = length
    next.total = total + filled
    next.trimmed = trimmed
    if next == known, filled == 0, trimmed == 0 { return nil }
    return Change(record: next, filled: filled, trimmed: trimmed)
  }
}

// MARK: - Text

extension EtcdSemaphoreRecord {
  /// Nil if it is none.
  init?(_ value: [UInt8]) {
    guard let text = String(validating: value, as: UTF8.self),
      let json = try? JSONValue(parsing: text), let length = json["length"]?.integer
    else { return nil }
    // What no store of ours writes is as good as nothing.
    func number(_ name: String) -> Int { min(max(0, json[name]?.integer ?? 0), 1 << 40) }
    self.init(
      length: length, total: number("total"), trimmed: number("trimmed"),
      reclaimed: number("reclaimed"), lost: number("lost"),
      overLengthMilliseconds: number("overLengthMilliseconds"))
  }

  var value: [UInt8] {
    var writer = JSONWriter(reserving: 128)
    writer.object { object in
      object.field("length", length)
      object.field("total", total)
      object.field("trimmed", trimmed)
      object.field("reclaimed", reclaimed)
      object.field("lost", lost)
      object.field("overLengthMilliseconds", overLengthMilliseconds)
    }
    return writer.bytes
  }
}

/// A record with what is needed to change it.
struct EtcdSemaphoreState: Sendable {
  let record: EtcdSemaphoreRecord?
  /// Of the record; 0 if there is none.
  let revision: Int64
  /// The lease of the record and of all placeholders.
  let lease: EtcdLease?

  init(_ keyValue: EtcdKeyValue?) {
    record = keyValue.flatMap { EtcdSemaphoreRecord($0.value) }
    revision = keyValue?.modRevision ?? 0
    lease = keyValue?.lease
  }

  /// Nobody has written the record since.
  func unchanged(_ name: String) -> EtcdCompare {
    EtcdCompare(.key(name), .equal, .modRevision(revision))
  }
}
