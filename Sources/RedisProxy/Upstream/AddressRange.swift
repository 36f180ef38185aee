import Glibc
package import NIOCore

/// A network in CIDR notation, `10.0.0.0/8` or `fd00::/8`.
package struct AddressRange: Hashable, Sendable {
  private let bytes: [UInt8]
  private let bits: Int

  /// Nil if the text is no network.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count <= 2, let address = try? SocketAddress(ipAddress: String(parts[0]), port: 0)
    else { return nil }
    bytes = Self.bytes(of: address)
    guard parts.count == 2 else {
      bits = bytes.count * 8
      return
    }
    guard let bits = Int(parts[1]), (0...bytes.count * 8).contains(bits) else { return nil }
    self.bits = bits
  }

  package func contains(_ address: SocketAddress) -> Bool {
    let other = Self.bytes(of: address)
    guard other.count == bytes.count else { return false }
    for bit in 0..<bits {
      let mask = UInt8(0x80) >> UInt8(bit % 8)
      if bytes[bit / 8] & mask != other[bit / 8] & mask { return false }
    }
    return true
  }

  /// The address's bytes, from its text: the system's structures have no stable names for them.
  private static func bytes(of address: SocketAddress) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 16)
    guard let text = address.ipAddress else { return [] }
    let family = text.contains(":") ? AF_INET6 : AF_INET
    guard inet_pton(family, text, &bytes) == 1 else { return [] }
    return family == AF_INET ? Array(bytes.prefix(4)) : bytes
  }
}
