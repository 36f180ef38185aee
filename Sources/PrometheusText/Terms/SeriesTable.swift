/// Finds series that are there more than once, by their hashes and then by what they are.
///
/// The hashes of records are fast, but whoever chooses the labels might choose such as have equal
/// ones. When too many series have a hash that is not theirs alone, all get hashes that nobody can
/// foresee, and the search begins again.
package struct SeriesTable {
  /// Which sample of which exposition, by number, plus one; 0: free.
  private struct Slot {
    var record: UInt32 = 0
    var exposition: UInt16 = 0
    /// Upper bits of the hash: most slots are passed over without a look at their record.
    var mark: UInt16 = 0
  }

  private var slots: [Slot]
  private let mask: Int
  /// How many steps to other series with a hash like the own one are left.
  private var patience: Int

  private init(samples: Int, patience: Int) {
    var size = 16
    while size < samples * 2 { size *= 2 }
    slots = Array(repeating: Slot(), count: size)
    mask = size - 1
    self.patience = patience
  }

  /// Marks all but the first of equal series in one exposition.
  ///
  /// - Returns: how many samples were marked.
  static func markDuplicates(
    in exposition: inout Exposition, _ limits: ExpositionLimits
  ) throws(ExpositionError) -> Int {
    var expositions = [exposition]
    // The only copy of the records, so that they are changed in place.
    exposition.records = []
    let counts = try markDuplicates(across: &expositions, limits)
    exposition.records = expositions[0].records
    return counts[0]
  }

  /// Marks samples whose series an earlier exposition has already, for sources that no label tells
  /// apart.
  ///
  /// - Returns: for each exposition how many samples were marked.
  package static func markDuplicates(
    across expositions: inout [Exposition], _ limits: ExpositionLimits = ExpositionLimits()
  ) throws(ExpositionError) -> [Int] {
    let samples = expositions.reduce(0) { $0 + $1.records.count }
    var found: [[Int]]
    if let fast = try duplicates(in: expositions, samples, patience: 1000 + samples * 16, limits) {
      found = fast
    } else {
      for number in expositions.indices { try expositions[number].hashAnew(limits) }
      found = try duplicates(in: expositions, samples, patience: .max, limits) ?? []
    }
    var counts: [Int] = []
    for (number, found) in found.enumerated() {
      counts.append(found.reduce(0) { $0 + expositions[number].lineCount($1) })
      for index in found { expositions[number].records[index].traits.insert(.duplicate) }
    }
    return counts
  }

  /// The records whose series is there already, of each exposition; nil if there are too many
  /// collisions.
  private static func duplicates(
    in expositions: [Exposition], _ samples: Int, patience: Int, _ limits: ExpositionLimits
  ) throws(ExpositionError) -> [[Int]]? {
    var table = SeriesTable(samples: samples, patience: patience)
    var found: [[Int]] = []
    for number in expositions.indices {
      guard let next = try table.duplicates(in: expositions, number, limits) else { return nil }
      found.append(next)
    }
    return found
  }

  /// Takes the samples of one exposition in.
  ///
  /// - Returns: those that were there already; nil if the patience is over.
  private mutating func duplicates(
    in expositions: [Exposition], _ number: Int, _ limits: ExpositionLimits
  ) throws(ExpositionError) -> [Int]? {
    let exposition = expositions[number]
    var found: [Int] = []
    for index in exposition.records.indices {
      if index & 0x3FF == 0 { try limits.checkTime() }
      let record = exposition.records[index]
      if record.traits.contains(.duplicate) { continue }
      let mark = UInt16(truncatingIfNeeded: record.hash >> 16)
      var position = Int(record.hash) & mask
      while slots[position].record != 0 {
        let slot = slots[position]
        if slot.mark == mark {
          let other = Int(slot.exposition)
          let otherIndex = Int(slot.record) - 1
          if expositions[other].records[otherIndex].hash == record.hash {
            if exposition.series(index) == expositions[other].series(otherIndex) {
              found.append(index)
              break
            }
            // The comparison costs as much as very many steps.
            patience &-= 100
          }
        }
        patience &-= 1
        if patience < 0 { return nil }
        position = (position + 1) & mask
      }
      if slots[position].record == 0 {
        slots[position] = Slot(
          record: UInt32(index) + 1, exposition: UInt16(truncatingIfNeeded: number), mark: mark)
      }
    }
    return found
  }
}

/// What makes two samples the same series.
struct Series: Hashable {
  let name: ExactText
  /// Sorted, without those whose value is empty.
  let labels: [SeriesLabel]
  let timestamp: String?

  init(_ name: String, _ labels: [SeriesLabel], timestamp: String? = nil) {
    self.name = ExactText(name)
    self.labels = labels.filter { !$0.value.isEmpty }.sorted()
    self.timestamp = timestamp
  }
}

extension Exposition {
  func series(_ index: Int) -> Series {
    let record = records[index]
    guard format != .protobuf else { return Series(part(of: index)?.name ?? "", labels(record)) }
    let line = line(record)
    return Series(
      line.name, line.labels, timestamp: format == .openMetrics ? line.timestamp : nil)
  }

  /// How many lines a text has for a record.
  func lineCount(_ index: Int) -> Int {
    format == .protobuf ? point(records[index])?.lineCount ?? 0 : 1
  }

  /// Gives all records hashes of Swift's own, which are slow and differ in each process.
  fileprivate mutating func hashAnew(_ limits: ExpositionLimits) throws(ExpositionError) {
    for index in records.indices {
      if index & 0x3FF == 0 { try limits.checkTime() }
      records[index].hash = UInt32(truncatingIfNeeded: series(index).hashValue)
    }
  }

  /// The part that has a record.
  private func part(of index: Int) -> ExpositionPart? {
    var (low, high) = (0, parts.count)
    while low < high {
      let middle = (low + high) / 2
      if parts[middle].records.upperBound <= index { low = middle + 1 } else { high = middle }
    }
    return low < parts.count ? parts[low] : nil
  }
}
