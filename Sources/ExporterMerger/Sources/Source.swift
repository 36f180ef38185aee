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
    return addresses.map { address in
      let count = counts[address.label, default: 0] + 1
      counts[address.label] = count
      return Source(
        address: address, label: count == 1 ? address.label : "\(address.label)#\(count)")
    }
  }
}
