/// An exporter whose metrics are merged.
package struct Source: Hashable, Sendable {
  package let address: SourceAddress
  /// Tells it from the other sources, in labels and logs.
  package let label: String

  /// The sources of some addresses, in their order.
  ///
  /// Those that differ only in what a label must not show (`/probe?target=a` and `?target=b`) get a
  /// number: `/probe`, `/probe#2`.
  package static func all(_ addresses: [SourceAddress]) -> [Source] {
    var counts: [String: Int] = [:]
    var taken: Set<String> = []
    return addresses.map { address in
      var label = address.label
      // An address may itself look like a numbered one.
      while !taken.insert(label).inserted {
        counts[address.label, default: 1] += 1
        label = "\(address.label)#\(counts[address.label] ?? 2)"
      }
      return Source(address: address, label: label)
    }
  }
}
