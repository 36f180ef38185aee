/// Finds series that are there more than once, by their hashes and then by what they are.
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

  private init(samples: Int) {
    var size = 16
    while size < samples * 2 { size *= 2 }
    slots = Array(repeating: Slot(), count: size)
    mask = size - 1
  }

  /// Marks all but the first of equal series in one exposition.
  ///
  /// - Returns: how many were marked.
  static func markDuplicates(in exposition: inout Exposition) -> Int {
    var expositions = [exposition]
    var table = SeriesTable(samples: exposition.records.count)
    let found = table.duplicates(in: expositions, 0)
    expositions = []
    for index in found { exposition.records[index].traits.insert(.duplicate) }
    return found.count
  }

  /// Marks samples whose series an earlier exposition has already, for sources that no label tells
  /// apart.
  ///
  /// - Returns: for each exposition how many were marked.
  package static func markDuplicates(across expositions: inout [Exposition]) -> [Int] {
    var table = SeriesTable(samples: expositions.reduce(0) { $0 + $1.records.count })
    var counts: [Int] = []
    for number in expositions.indices {
      let found = table.duplicates(in: expositions, number)
      for index in found { expositions[number].records[index].traits.insert(.duplicate) }
      counts.append(found.count)
    }
    return counts
  }

  /// Takes the samples of one exposition in.
  ///
  /// - Returns: those that were there already.
  private mutating func duplicates(in expositions: [Exposition], _ number: Int) -> [Int] {
    let exposition = expositions[number]
    var found: [Int] = []
    for index in exposition.records.indices {
      let record = exposition.records[index]
      if record.traits.contains(.duplicate) { continue }
      let mark = UInt16(truncatingIfNeeded: record.hash >> 16)
      var position = Int(record.hash) & mask
      while slots[position].record != 0 {
        let slot = slots[position]
        if slot.mark == mark {
          let other = Int(slot.exposition)
          let otherIndex = Int(slot.record) - 1
          if expositions[other].records[otherIndex].hash == record.hash,
            exposition.series(index) == expositions[other].series(otherIndex)
          {
            found.append(index)
            break
          }
        }
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
private struct Series: Equatable {
  let name: String
  let labels: [SeriesLabel]
  let timestamp: String?
}

extension Exposition {
  fileprivate func series(_ index: Int) -> Series {
    let record = records[index]
    guard format != .protobuf else {
      return Series(
        name: part(of: index)?.name ?? "", labels: labels(record).sorted(), timestamp: nil)
    }
    let line = line(record)
    return Series(
      name: line.name, labels: line.labels.sorted(),
      timestamp: format == .openMetrics ? line.timestamp : nil)
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
