/// What tracing systems pass along beside the ids; this one only hands it on.
///
/// See https://www.w3.org/TR/trace-context/#tracestate-header.
package struct TraceState: Hashable, Sendable {
  /// The members, most recent first, as they go into the header.
  private var members: [Substring] = []

  /// The most members that may be there (3.3.1.1).
  private static let most = 32

  /// How much is handed on; the specification asks for at least this many characters (3.3.1.5).
  private static let longest = 512

  /// Members longer than this go first when there is too much (3.3.1.5).
  private static let longMember = 128

  package init() {}

  /// Reads a header; several are joined by commas first. `nil` if any member is not valid.
  package init?(header: String) {
    var keys: Set<Substring> = []
    for part in header.split(separator: ",", omittingEmptySubsequences: false) {
      let member = Self.trim(part)
      if member.isEmpty { continue }
      guard let equals = member.firstIndex(of: "=") else { return nil }
      let key = member[..<equals]
      guard Self.isKey(key.utf8), Self.isValue(member[member.index(after: equals)...].utf8),
        keys.insert(key).inserted, keys.count <= Self.most
      else { return nil }
      members.append(member)
    }
    shorten()
  }

  package var isEmpty: Bool { members.isEmpty }

  /// The header's value; empty if there is nothing to send.
  package var header: String { members.joined(separator: ",") }

  private mutating func shorten() {
    var length = members.reduce(members.count - 1) { $0 + $1.utf8.count }
    guard length > Self.longest else { return }
    for index in members.indices.reversed() where length > Self.longest {
      if members[index].utf8.count > Self.longMember {
        length -= members.remove(at: index).utf8.count + 1
      }
    }
    while length > Self.longest { length -= members.removeLast().utf8.count + 1 }
  }

  private static func trim(_ text: Substring) -> Substring {
    var trimmed = text.drop { $0 == " " || $0 == "\t" }
    while let last = trimmed.last, last == " " || last == "\t" { trimmed.removeLast() }
    return trimmed
  }

  /// 3.3.1.3.1: a simple key, or a tenant and a system with `@` between.
  private static func isKey(_ key: Substring.UTF8View) -> Bool {
    let parts = key.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
    switch parts.count {
    case 1: return isKeyPart(parts[0], longest: 256, startsWithDigit: false)
    case 2:
      return isKeyPart(parts[0], longest: 241, startsWithDigit: true)
        && isKeyPart(parts[1], longest: 14, startsWithDigit: false)
    default: return false
    }
  }

  private static func isKeyPart(
    _ part: Substring.UTF8View, longest: Int, startsWithDigit: Bool
  ) -> Bool {
    guard let first = part.first, part.count <= longest else { return false }
    let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
    let isLetter = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first)
    guard isLetter || (isDigit && startsWithDigit) else { return false }
    return part.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "*"), UInt8(ascii: "/"):
        true
      default: false
      }
    }
  }

  /// 3.3.1.3.2: up to 256 printable characters but `,` and `=`, the last no blank.
  private static func isValue(_ value: Substring.UTF8View) -> Bool {
    guard let last = value.last, last != 0x20, value.count <= 256 else { return false }
    return value.allSatisfy {
      (0x20...0x7e).contains($0) && $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "=")
    }
  }
}
