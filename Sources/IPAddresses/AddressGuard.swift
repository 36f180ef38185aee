/// Tells addresses of the public internet from all others.
///
/// What strangers may make a server connect to (a browser, an agent that opens links) is checked
/// with it at the last moment, by the address that the connection is made to: names can point
/// anywhere, and to somewhere else a moment later.
package struct AddressGuard: Sendable {
  /// Why an address is refused: what its range is for.
  package struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
    package let address: IPAddress
    /// For people: `a private network`.
    package let purpose: String

    package var description: String { "\(address) is \(purpose)" }
  }

  /// Ranges that are let through all the same.
  private let allowed: [AddressRange]
  private let allowsAll: Bool

  /// - Parameters:
  ///   - allowsAll: whether nothing is refused.
  ///   - allowed: ranges that are let through although they are not public.
  package init(allowsAll: Bool = false, allowed: [AddressRange] = []) {
    self.allowsAll = allowsAll
    self.allowed = allowed
  }

  /// - Throws: why it is refused.
  package func check(_ address: IPAddress) throws(Refusal) {
    if allowsAll || allowed.contains(where: { $0.contains(address) }) { return }
    // What another address is hidden in is as good as that.
    if let inner = address.embeddedIPv4 {
      do {
        return try check(inner)
      } catch {
        throw Refusal(address: address, purpose: error.purpose)
      }
    }
    if let special = Self.special.first(where: { $0.range.contains(address) }) {
      throw Refusal(address: address, purpose: special.purpose)
    }
    // Only 2000::/3 has been given out.
    guard address.isIPv4 || address.bytes[0] >> 5 == 1 else {
      throw Refusal(address: address, purpose: "no public address")
    }
  }

  private struct Special: Sendable {
    let range: AddressRange
    let purpose: String
  }

  /// The registries of IANA (RFC 6890 and what followed), and where clouds keep their metadata.
  private static let special: [Special] = [
    ("0.0.0.0/8", "this host"), ("10.0.0.0/8", "a private network"),
    ("100.100.100.200/32", "a cloud's metadata"), ("100.64.0.0/10", "a carrier's network"),
    ("127.0.0.0/8", "this host"), ("168.63.129.16/32", "a cloud's metadata"),
    ("169.254.0.0/16", "a link-local network"), ("172.16.0.0/12", "a private network"),
    ("192.0.0.0/24", "reserved for protocols"), ("192.0.2.0/24", "for documentation"),
    ("192.88.99.0/24", "a relay of IPv6"), ("192.168.0.0/16", "a private network"),
    ("198.18.0.0/15", "for benchmarks"), ("198.51.100.0/24", "for documentation"),
    ("203.0.113.0/24", "for documentation"), ("224.0.0.0/4", "a multicast group"),
    ("240.0.0.0/4", "reserved"),
    ("::/128", "this host"), ("::1/128", "this host"), ("64:ff9b:1::/48", "a private network"),
    ("100::/64", "a discarding network"), ("2001::/23", "reserved for protocols"),
    ("2001:db8::/32", "for documentation"), ("3fff::/20", "for documentation"),
    ("fc00::/7", "a private network"), ("fe80::/10", "a link-local network"),
    ("fec0::/10", "a private network"), ("ff00::/8", "a multicast group"),
  ].compactMap { text, purpose in
    AddressRange(text).map { Special(range: $0, purpose: purpose) }
  }
}

extension IPAddress {
  /// The address of IPv4 that packets to this one end at: mapped and compatible addresses (RFC 4291,
  /// 2.5.5), those of NAT64 (RFC 6052) and of 6to4 (RFC 3056).
  package var embeddedIPv4: IPAddress? {
    guard !isIPv4 else { return nil }
    if bytes[..<2] == [0x20, 0x02] { return IPAddress(bytes: Array(bytes[2..<6])) }
    let tail = IPAddress(bytes: Array(bytes[12...]))
    if bytes[..<12] == [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0] { return tail }
    if bytes[..<12] == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] { return tail }
    // Not `::` and `::1`, which are addresses of their own.
    let isCompatible = bytes[..<12].allSatisfy { $0 == 0 } && bytes[12...].prefix(3) != [0, 0, 0]
    return isCompatible ? tail : nil
  }
}
