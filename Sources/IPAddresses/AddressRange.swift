/// The addresses that begin alike, in CIDR notation: `10.0.0.0/8` or `fd00::/8`.
package struct AddressRange: Hashable, Sendable, CustomStringConvertible {
  package let start: IPAddress
  /// How many bits are those of ``start``.
  package let bits: Int

  /// Reads `10.0.0.0/8`, or one address.
  ///
  /// - Returns: nil if the text is neither.
  package init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, let start = IPAddress(first) else { return nil }
    var bits = start.bytes.count * 8
    if parts.count == 2 {
      guard let number = Int(parts[1]), (0...bits).contains(number) else { return nil }
      bits = number
    }
    self.start = start
    self.bits = bits
  }

  /// Addresses of the other family never are in it.
  package func contains(_ address: IPAddress) -> Bool {
    guard address.bytes.count == start.bytes.count else { return false }
    let whole = bits / 8
    guard address.bytes[..<whole] == start.bytes[..<whole] else { return false }
    guard bits % 8 > 0 else { return true }
    let mask = UInt8(truncatingIfNeeded: 0xff00 >> (bits % 8))
    return address.bytes[whole] & mask == start.bytes[whole] & mask
  }

  package var description: String { "\(start)/\(bits)" }
}
