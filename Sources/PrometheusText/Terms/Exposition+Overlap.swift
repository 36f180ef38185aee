extension Exposition {
  /// Marks samples that would come out as series which another exposition has, and goes out with.
  ///
  /// - Parameter label: what this exposition's samples get; the other's get none.
  /// - Returns: how many samples were marked.
  package mutating func markSeries(of other: Exposition, label: SeriesLabel?) -> Int {
    let names = Set(other.parts.map { ExactText($0.name) })
    let overlapping = parts.filter { names.contains(ExactText($0.name)) }
    if overlapping.isEmpty { return 0 }
    let taken = Set(other.records.indices.map { other.series($0) })
    let rules = LabelRules(escaping: .allowUTF8)
    var count = 0
    for part in overlapping {
      for index in part.records where !records[index].traits.contains(.duplicate) {
        let record = records[index]
        let own = format == .protobuf ? labels(record) : line(record).labels
        let name = format == .protobuf ? part.name : part.base + record.suffix.text
        if taken.contains(Series(name, rules.labels(own, source: label))) {
          records[index].traits.insert(.duplicate)
          count += lineCount(index)
        }
      }
    }
    return count
  }
}
